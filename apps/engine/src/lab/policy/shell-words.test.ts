import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quoteWords, splitWords } from './shell-words.ts';

const texts = (line: string): readonly string[] => {
  const words = splitWords(line);
  if ('problem' in words) throw new Error(words.problem);
  return words.map(({ text }) => text);
};
const problemOf = (line: string) => {
  const words = splitWords(line);
  if (!('problem' in words)) throw new Error(`not refused: ${line}`);
  return words;
};

/** Anything that may stand in an argument: control characters may not. */
const anArgument = fc
  .string({ unit: 'grapheme', maxLength: 30 })
  // eslint-disable-next-line no-control-regex
  .map((text) => text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '·'));

describe('words', () => {
  test('what is quoted is read back', () => {
    fc.assert(
      fc.property(fc.array(anArgument), (words) => {
        expect(texts(quoteWords(words))).toEqual(words);
      }),
    );
  });

  test('any line gives words or a problem with a place in the line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (line) => {
        const words = splitWords(line);
        if ('problem' in words) {
          expect(words.position).toBeGreaterThanOrEqual(0);
          expect(words.position).toBeLessThan(line.length);
        } else {
          for (const word of words) expect(word.position).toBeLessThan(line.length);
        }
      }),
    );
  });

  test.each([
    ['docker  run\tbusybox', ['docker', 'run', 'busybox']],
    [`sh -c 'echo $HOME | wc'`, ['sh', '-c', 'echo $HOME | wc']],
    [`a"b c"'d e'f\\ g`, ['ab cd ef g']],
    [`"a \\" \\\\ \\$ \\n"`, ['a " \\ $ \\n']],
    [`'' ""`, ['', '']],
    ['--format {{.Names}}', ['--format', '{{.Names}}']],
    ['a=b a#b a~b', ['a=b', 'a#b', 'a~b']],
    ['', []],
  ])('%s', (line, words) => {
    expect(texts(line)).toEqual(words);
  });

  test('a word knows where it begins', () => {
    expect(splitWords(`docker  'a b' c`)).toEqual([
      { text: 'docker', position: 0 },
      { text: 'a b', position: 8 },
      { text: 'c', position: 14 },
    ]);
  });
});

describe('what only a shell could do', () => {
  test.each([
    ['docker ps | wc', 10],
    ['docker ps; ls', 9],
    ['docker ps && ls', 10],
    ['docker run $IMAGE', 11],
    ['docker run "$IMAGE"', 12],
    ['docker run `id`', 11],
    ['docker run busybox ls *', 22],
    ['docker run > /etc/passwd', 11],
    ['docker run ~/x', 11],
    ['docker run {a,b}', 11],
    ['docker ps\nls', 9],
  ])('%s is refused at %d', (line, position) => {
    expect(problemOf(line)).toMatchObject({ position, isUnfinished: false });
  });

  test.each([
    [`docker run 'busybox`, 11],
    ['docker run "busy', 11],
    ['docker run busybox\\', 18],
  ])('%s waits for its end at %d', (line, position) => {
    expect(problemOf(line)).toMatchObject({ position, isUnfinished: true });
  });
});
