/** Holders and the keeper over a real socket: who is held, by whom it is let go, and who passes. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SpanEvent, TraceEvent } from '../../protocol/trace/event.ts';
import { GATES_VARIABLE, HELD_EVENT, RELEASED_EVENT } from '../../protocol/trace/gate.ts';
import { withContext } from '../../tracing/context.ts';
import { passGate } from '../../tracing/gate.ts';
import { Tracer } from '../../tracing/tracer.ts';
import { SPAN, TRACE } from '../testing/events.ts';
import { GateKeeper } from './gate-keeper.ts';

const OTHER = 'c'.repeat(32);

let folder: string;
let keeper: GateKeeper;
let events: TraceEvent[];
let tracer: Tracer;
/** Tells of each event as it comes. */
let onEvent: () => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gates-'));
  vi.stubEnv(GATES_VARIABLE, folder);
  keeper = new GateKeeper({ folder });
  await keeper.listen();
  events = [];
  onEvent = () => undefined;
  tracer = new Tracer('dockerd', {
    export: (event) => {
      events.push(event);
      onEvent();
    },
    flush: () => Promise.resolve(),
    close: () => undefined,
  });
});

afterEach(async () => {
  await keeper.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const pass = (traceId = TRACE, signal?: AbortSignal) =>
  withContext({ traceId, spanId: SPAN }, () =>
    passGate(tracer, {
      gate: 'request-accepted',
      source: 'x.ts:1',
      subjectPid: () => 4711,
      ...(signal ? { signal } : {}),
    }),
  );

/** Resolves when somebody is held. */
const held = () =>
  new Promise<void>((resolve) => {
    onEvent = () => {
      if (events.some((event) => event.type === 'spanEvent' && event.name === HELD_EVENT))
        resolve();
    };
  });

const told = () =>
  events
    .filter((event): event is SpanEvent => event.type === 'spanEvent')
    .map(({ name, attributes }) => [name, attributes['engineroom.gate.reason']]);

test('without a gate in this very trace nobody waits, and nothing is told', async () => {
  keeper.set(OTHER, ['request-accepted']);
  keeper.set(TRACE, ['created-not-started']);
  await pass();
  expect(events).toEqual([]);
  expect(keeper.gatesOf(OTHER)).toEqual(['request-accepted']);
});

test('who comes to the gate is held until somebody says continue, and only once', async () => {
  keeper.set(TRACE, ['request-accepted', 'rootfs-mounted']);
  const isHeld = held();
  const passing = pass();
  await isHeld;
  expect(keeper.heldIn(TRACE)).toMatchObject([
    { gate: 'request-accepted', actor: 'dockerd', pid: process.pid, subjectPid: 4711 },
  ]);
  expect(keeper.heldIn(OTHER)).toEqual([]);
  expect(keeper.release(TRACE, 'continue', 'rootfs-mounted')).toBe(0);
  expect(keeper.release(TRACE, 'continue')).toBe(1);
  await passing;

  expect(told()).toEqual([
    [HELD_EVENT, undefined],
    [RELEASED_EVENT, 'continue'],
  ]);
  expect(events[1]?.cause).toBe(events[0]?.id);
  expect(keeper.gatesOf(TRACE)).toEqual(['rootfs-mounted']);
  await pass();
  expect(events).toHaveLength(2);
});

test('after its time a gate opens by itself', async () => {
  await keeper.close();
  keeper = new GateKeeper({ folder, limitMs: 20 });
  await keeper.listen();
  keeper.set(TRACE, ['request-accepted']);
  await pass();
  expect(told()).toEqual([
    [HELD_EVENT, undefined],
    [RELEASED_EVENT, 'time limit'],
  ]);
});

test('a client that leaves opens its gates, but not that of the container it left behind', async () => {
  keeper.set(TRACE, ['request-accepted', 'rootfs-mounted', 'exited-not-reaped']);
  const isHeld = held();
  const passing = pass();
  await isHeld;
  keeper.clientGone(TRACE);
  await passing;
  expect(told()[1]).toEqual([RELEASED_EVENT, 'client is gone']);
  expect(keeper.gatesOf(TRACE)).toEqual(['exited-not-reaped']);
});

test('a holder that gives up is forgotten', async () => {
  keeper.set(TRACE, ['request-accepted']);
  const abort = new AbortController();
  const isHeld = held();
  const passing = pass(TRACE, abort.signal);
  await isHeld;
  abort.abort();
  await passing;
  expect(told()[1]).toEqual([RELEASED_EVENT, 'client is gone']);
  await vi.waitFor(() => expect(keeper.heldIn(TRACE)).toEqual([]));
});

test('when the lab goes all gates are open; one that was killed has left no closed gate either', async () => {
  keeper.set(TRACE, ['request-accepted', 'rootfs-mounted']);
  const isHeld = held();
  const passing = pass();
  await isHeld;
  await keeper.close();
  await passing;
  expect(told()[1]).toEqual([RELEASED_EVENT, 'lab is gone']);
  expect(readdirSync(folder)).toEqual([]);

  writeFileSync(join(folder, OTHER), 'request-accepted');
  await pass(OTHER);
  expect(events).toHaveLength(2);
  await keeper.listen();
  expect(existsSync(join(folder, OTHER))).toBe(false);
});

test('whoever comes while a client is being born waits for its gates to be set', async () => {
  const isHeld = held();
  const passing = keeper.duringBirth(() => {
    const passing = pass();
    keeper.set(TRACE, ['request-accepted']);
    return passing;
  });
  await isHeld;
  keeper.release(TRACE, 'continue');
  await passing;

  await keeper.duringBirth(() => pass(OTHER));
  expect(events).toHaveLength(2);
});

test('rubbish at the socket costs its connection and nothing else', async () => {
  for (const words of ['rubbish\n', '{"traceId":"../../x","gate":"next"}\n', 'x'.repeat(5000)]) {
    await new Promise<void>((resolve) => {
      const socket = connect(join(folder, 'lab.sock'), () => socket.write(words));
      socket.on('error', () => undefined);
      socket.once('close', () => resolve());
    });
  }
  await pass();
  expect(events).toEqual([]);
});

test('gates that nobody comes to are forgotten in the end', () => {
  const name = (index: number) => index.toString(16).padStart(32, '0');
  for (let index = 0; index < 70; index += 1) keeper.set(name(index), ['exited-not-reaped']);
  expect(keeper.gatesOf(name(0))).toEqual([]);
  expect(keeper.gatesOf(name(69))).toEqual(['exited-not-reaped']);
  expect(readdirSync(folder)).toHaveLength(65);
});
