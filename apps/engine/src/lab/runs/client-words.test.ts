import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClientWords, type Chunk } from './client-words.ts';

const aChunk = (text: string, stream: Chunk['stream'] = 'stderr'): Chunk => ({
  stream,
  bytes: Buffer.from(text),
  mono: '1',
});

const ownWords = (passesOn: boolean, act: (words: ClientWords) => void): string => {
  let own = '';
  act(
    new ClientWords(passesOn, ({ bytes }) => {
      own += bytes.toString('utf8');
    }),
  );
  return own;
};

describe('a client that passes on what a container prints', () => {
  test('what it says before it asked for the start is its own', () => {
    const own = ownWords(true, (words) => {
      words.add(aChunk('Unable to find image\n'));
      words.containerMaySpeak();
      words.add(aChunk('of the container\n'));
      words.finish(Buffer.from('of the container\n'));
    });

    expect(own).toBe('Unable to find image\n');
  });

  test('what it says around the container’s bytes is its own, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.array(fc.nat({ max: 30 })),
        (before, container, cuts) => {
          const all = `<${before}>${container === '' ? '' : `[${container}]`}docker: it failed\n`;
          const own = ownWords(true, (words) => {
            words.containerMaySpeak();
            let at = 0;
            for (const cut of [...cuts.map((size) => at + size), all.length]) {
              words.add(aChunk(all.slice(at, cut)));
              at = Math.max(at, cut);
            }
            words.finish(Buffer.from(container === '' ? '' : `[${container}]`));
          });
          expect(own).toBe(`<${before}>docker: it failed\n`);
        },
      ),
    );
  });

  test('stdout is the container’s alone', () => {
    const own = ownWords(true, (words) => {
      words.containerMaySpeak();
      words.add(aChunk('hello\n', 'stdout'));
      words.finish(Buffer.alloc(0));
    });

    expect(own).toBe('');
  });

  test('where the bytes cannot be told apart only its complaint is its own', () => {
    const own = ownWords(true, (words) => {
      words.containerMaySpeak();
      words.add(aChunk('something\ndocker: it failed\n'));
      words.finish(Buffer.from('something else'));
    });

    expect(own).toBe('docker: it failed\n');
  });
});

test('a client that prints for itself is heard at once, up to a limit', () => {
  const own = ownWords(false, (words) => {
    words.add(aChunk('CONTAINER ID\n', 'stdout'));
    for (let i = 0; i < 100; i++) words.add(aChunk('x'.repeat(10_000), 'stdout'));
  });

  expect(own.startsWith('CONTAINER ID\nxxx')).toBe(true);
  expect(own).toHaveLength(256 * 1024);
});
