// @vitest-environment node
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aRun } from '../model/a-run.fixture.ts';
import { parseEvent } from './parse-event.ts';
import { readTrace, TraceFileError } from './recorded-trace.ts';

const RUN = aRun();
const HEADER = {
  format: 'engine-room-trace',
  version: 1,
  recordedAt: '2026-11-24T05:00:00Z',
  machine: 'Linux 6.12 x64',
  summary: {
    traceId: RUN[0]?.traceId,
    title: 'docker run --rm busybox echo hello',
    argv: null,
    origin: 'page',
    state: 'ended',
    exitCode: 0,
    anchor: { mono: '1', unixNano: '2' },
    eventCount: RUN.length,
    links: [],
    containerIds: [],
  },
};

const aFile = async (
  lines: readonly unknown[] = [HEADER, ...RUN],
): Promise<Uint8Array<ArrayBuffer>> => {
  const text = lines
    .map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))
    .join('\n');
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
};

describe('a recorded trace', () => {
  test('comes back whole', async () => {
    const trace = await readTrace(await aFile());

    expect(trace.events).toEqual(RUN);
    expect(trace.caveat).toBeNull();
  });

  test('is read as it is when the server has unpacked it', async () => {
    const plain = new TextEncoder().encode(
      [HEADER, ...RUN].map((line) => JSON.stringify(line)).join('\n'),
    );

    expect((await readTrace(plain)).events).toHaveLength(RUN.length);
  });

  test('with damaged lines shows the others and says so', async () => {
    const trace = await readTrace(
      await aFile([HEADER, ...RUN, '{"half": ', { ...RUN[0], mono: 'yesterday' }, 'null']),
    );

    expect(trace.events).toHaveLength(RUN.length);
    expect(trace.caveat).toBe('the file is damaged: 3 lines could not be read');
  });

  test('of a newer version leaves out what it cannot know', async () => {
    const trace = await readTrace(
      await aFile([{ ...HEADER, version: 9 }, ...RUN, { ...RUN[0], id: 'x', type: 'hologram' }]),
    );

    expect(trace.events).toHaveLength(RUN.length);
    expect(trace.caveat).toBe('made by a newer version: 1 event kind is not shown');
  });

  test('that was cut off gives what came before the cut', async () => {
    const whole = await aFile();

    const trace = await readTrace(whole.slice(0, Math.floor(whole.length * 0.7)));

    expect(trace.events.length).toBeGreaterThan(0);
    expect(trace.events.length).toBeLessThan(RUN.length);
    expect(trace.caveat).toMatch(/damaged/);
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['a picture', new Uint8Array([0x89, 0x50, 0x4e, 0x47])],
    ['broken gzip', new Uint8Array([0x1f, 0x8b, 1, 2, 3])],
    ['some other JSON', new TextEncoder().encode('{"hello":"world"}')],
  ])('is not made of %s', async (_name, file) => {
    await expect(readTrace(file)).rejects.toThrow(TraceFileError);
  });

  test('no value whatever breaks the check of events', () => {
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom(...Object.keys(RUN[0] ?? {})), (value, field) => {
        parseEvent(value);
        parseEvent({ ...RUN[0], [field]: value });
      }),
    );
  });
});
