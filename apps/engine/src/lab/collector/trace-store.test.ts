import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SequencedEvent } from '../../protocol/trace/event.ts';
import type { TraceSummary } from '../../protocol/trace/stream.ts';
import { aProcess, aSpanEvent, aSpanStarted, from, TRACE } from '../testing/events.ts';
import { decodeTraceFile } from './trace-file.ts';
import { TRACE_LIMIT_BYTES } from './trace-log.ts';
import { TraceStore, type TraceStoreOptions } from './trace-store.ts';

let directory: string;
const stores: TraceStore[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-traces-'));
});

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  rmSync(directory, { recursive: true });
});

const aStore = async (options: Partial<TraceStoreOptions> = {}): Promise<TraceStore> => {
  const store = new TraceStore({ directory, isAlive: () => false, ...options });
  stores.push(store);
  await store.load();
  return store;
};

const traceId = (number: number): string => number.toString(16).padStart(32, '0');
const LATER = Date.now() + 24 * 3600_000;

/** A whole run of three events; ends with `sweep`. */
const runOf = (store: TraceStore, id: string): void => {
  store.accept(aSpanStarted({ traceId: id }));
  store.accept(aProcess({ traceId: id }));
  store.accept(aProcess({ traceId: id, change: 'exit', exit: { code: 7 } }));
};

const eventsIn = async (store: TraceStore, id: string): Promise<readonly SequencedEvent[]> => {
  const file = await store.file(id);
  if (!file) throw new Error('no file');
  const { lines } = await decodeTraceFile(file);
  return lines.map((line) => JSON.parse(line) as SequencedEvent);
};

describe('a growing trace', () => {
  test('is numbered without gaps from 1, each trace for itself', async () => {
    const store = await aStore();
    const seen: [string, number][] = [];
    store.listen({ onEvent: (id, seq) => seen.push([id, seq]) });

    for (const id of [1, 2, 1, 1, 2]) store.accept(aSpanEvent({ traceId: traceId(id) }));

    expect(seen.map(([id, seq]) => [Number(id), seq])).toEqual([
      [1, 1],
      [2, 1],
      [1, 2],
      [1, 3],
      [2, 2],
    ]);
    expect(
      store.linesAfter(traceId(1), 1)?.map((line) => (JSON.parse(line) as SequencedEvent).seq),
    ).toEqual([2, 3]);
  });

  test('is described by what its events say', async () => {
    const store = await aStore();
    store.accept(aSpanStarted({ links: [{ traceId: traceId(9) }] }));
    store.accept(aProcess());
    store.accept(aSpanEvent({ attributes: { 'container.id': 'c'.repeat(64) } }));
    store.accept(aProcess({ change: 'exit', exit: { code: 7 } }));

    expect(store.summary(TRACE)).toMatchObject({
      title: "docker run busybox echo 'a b'",
      origin: 'external',
      state: 'running',
      exitCode: 7,
      eventCount: 4,
      links: [traceId(9)],
      containerIds: ['c'.repeat(64)],
    });
  });

  test('counts what two processes tell once', async () => {
    const store = await aStore();
    store.accept(aProcess({ id: 'process/77/exec' }));
    store.accept(from(aProcess({ id: 'process/77/exec' }), { actor: 'lab' }));

    expect(store.lastSeq(TRACE)).toBe(1);
  });

  test('takes the lab’s word for the life of a client that the lab started', async () => {
    const store = await aStore();
    store.announce(TRACE, {
      title: 'docker run busybox',
      argv: ['docker', 'run', '-m', '1m', 'busybox'],
      clientPid: 77,
      learner: null,
    });
    store.accept(aProcess({ change: 'exit' }));
    store.accept(from(aProcess({ change: 'exit', exit: { code: 3 } }), { actor: 'lab' }));

    expect(store.summary(TRACE)).toMatchObject({
      origin: 'page',
      title: 'docker run busybox',
      exitCode: 3,
      eventCount: 1,
    });
  });

  test('leaves out the lab’s own questions', async () => {
    const store = await aStore();
    store.ignore(TRACE);
    store.accept(aSpanStarted());

    expect(store.summaries()).toEqual([]);
  });

  test('keeps beginnings and ends beyond its limit, and says how much it left out', async () => {
    const store = await aStore();
    const large = 'x'.repeat(900_000);
    const count = Math.ceil(TRACE_LIMIT_BYTES / large.length) + 3;
    for (let i = 0; i < count; i++) store.accept(aSpanEvent({ attributes: { large } }));
    store.accept(aProcess({ change: 'exit', exit: { code: 0 } }));
    store.sweep(LATER);

    const events = await eventsIn(store, TRACE);
    const dropped = events.find((event) => event.type === 'dropped');
    expect(events.some((event) => event.type === 'process')).toBe(true);
    expect(dropped?.count).toBeGreaterThan(0);
    expect(events.length - 2 + (dropped?.count ?? 0)).toBe(count);
  });

  test('a hole is told to each trace that its process took part in', async () => {
    const store = await aStore();
    store.accept(aSpanEvent({ traceId: traceId(1) }));
    store.accept(aSpanEvent({ traceId: traceId(2) }));
    store.accept(from(aSpanEvent({ traceId: traceId(3) }), { pid: 1 }));

    store.acceptDropped({
      ...aSpanEvent(),
      type: 'dropped',
      traceId: traceId(1),
      actor: 'dockerd',
      pid: 4242,
      count: 5,
    });

    expect([1, 2, 3].map((id) => store.lastSeq(traceId(id)))).toEqual([2, 2, 1]);
  });
});

describe('the end of a trace', () => {
  test('comes when the client has exited and it is quiet', async () => {
    const store = await aStore({ quietMs: 300 });
    const told: TraceSummary[] = [];
    store.listen({ onSummary: (summary) => told.push(summary) });
    store.accept(aSpanStarted());
    store.sweep(Date.now() + 10_000);
    expect(store.summary(TRACE)?.state).toBe('running');

    store.accept(aProcess({ change: 'exit', exit: { code: 0 } }));
    store.sweep(Date.now() + 100);
    expect(store.summary(TRACE)?.state).toBe('running');
    store.sweep(Date.now() + 400);

    expect(told.at(-1)?.state).toBe('ended');
  });

  test('does not come while the client lives, however quiet it is', async () => {
    const alive = new Set([77]);
    const store = await aStore({ isAlive: (pid) => alive.has(pid) });
    store.accept(aProcess());
    store.sweep(LATER);
    expect(store.summary(TRACE)?.state).toBe('running');

    alive.clear();
    store.sweep(LATER);

    expect(store.summary(TRACE)?.state).toBe('ended');
  });

  test('a later event opens it again, and the file has both parts', async () => {
    const store = await aStore({ memoryLimitBytes: 0 });
    runOf(store, TRACE);
    store.sweep(LATER);
    expect(await eventsIn(store, TRACE)).toHaveLength(3);
    store.sweep(LATER);
    expect(store.linesAfter(TRACE, 0)).toBeNull();

    store.accept(aSpanEvent({ name: 'the container exits an hour later' }));
    expect(store.summary(TRACE)).toMatchObject({ state: 'running', eventCount: 4 });
    expect((await eventsIn(store, TRACE)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    store.sweep(LATER);

    expect((await eventsIn(store, TRACE)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });
});

describe('files', () => {
  test('a new lab lists what the old one recorded', async () => {
    const old = await aStore();
    runOf(old, traceId(1));
    runOf(old, traceId(2));
    await old.close();

    const store = await aStore();

    expect(store.summaries().map(({ state, exitCode }) => [state, exitCode])).toEqual([
      ['ended', 7],
      ['ended', 7],
    ]);
    expect(await eventsIn(store, traceId(2))).toHaveLength(3);
  });

  test('a damaged file is left alone and does no harm', async () => {
    const old = await aStore();
    runOf(old, traceId(1));
    await old.close();
    writeFileSync(join(directory, `${traceId(5)}.trace.gz`), 'no gzip');

    const store = await aStore();

    expect(store.summaries()).toHaveLength(1);
    expect(readdirSync(directory)).toContain(`${traceId(5)}.trace.gz`);
    expect(await store.file(traceId(5))).toBeNull();
  });

  test('only the newest are kept', async () => {
    const store = await aStore({ keepFiles: 3 });
    for (let id = 1; id <= 6; id++) {
      runOf(store, traceId(id));
      store.sweep(LATER);
    }
    await store.close();

    expect(store.summaries().map((summary) => Number(`0x${summary.traceId}`))).toEqual([6, 5, 4]);
    expect(readdirSync(directory).sort()).toEqual([4, 5, 6].map((id) => `${traceId(id)}.trace.gz`));
  });

  test('memory is given back once a trace is in its file', async () => {
    const store = await aStore({ memoryLimitBytes: 1000 });
    for (let id = 1; id <= 20; id++) runOf(store, traceId(id));
    store.sweep(LATER);
    for (let id = 1; id <= 20; id++) await store.file(traceId(id));
    store.sweep(LATER);

    const inMemory = store
      .summaries()
      .filter((summary) => store.linesAfter(summary.traceId, 0) !== null);
    expect(inMemory.length).toBeLessThan(4);
    expect(await eventsIn(store, traceId(1))).toHaveLength(3);
  });
});

test('a trace is its learner’s, with all that goes back to it, over a restart as well', async () => {
  const [own, later, foreign] = [traceId(1), traceId(2), traceId(3)];
  const see = (store: TraceStore, learner: string) =>
    [own, later, foreign, traceId(4)].map((id) => store.maySee(id, learner));
  const store = await aStore();
  store.announce(own, { title: 'docker run', argv: null, clientPid: null, learner: 'ada' });
  runOf(store, own);
  runOf(store, foreign);
  runOf(store, later);
  // A request of somebody else's, which touches the container: it says so when it gets there.
  store.accept(
    aSpanStarted({
      traceId: later,
      spanId: 'c'.repeat(16),
      links: [{ traceId: own }],
    }),
  );
  expect(see(store, 'ada')).toEqual([true, true, true, false]);
  expect(see(store, 'bob')).toEqual([false, false, true, false]);
  store.sweep(LATER);
  await store.close();

  const again = await aStore();
  expect(see(again, 'ada')).toEqual([true, true, true, false]);
  expect(see(again, 'bob')).toEqual([false, false, true, false]);
});
