import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { OutputEvent } from '../../protocol/trace/event.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import { outputTrace } from './output-trace.ts';

const CHUNK = 64 * 1024;

let told: OutputEvent[];
let write: ReturnType<typeof outputTrace>;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  const tracer = { emit: (event: OutputEvent) => void told.push(event) } as unknown as Tracer;
  write = outputTrace(tracer, {
    containerId: 'c'.repeat(64),
    isTerminal: false,
    context: () => ({ traceId: 't'.repeat(32), spanId: 's'.repeat(16) }),
  });
});

afterEach(() => {
  vi.useRealTimers();
});

const endOf = (event: OutputEvent | undefined): number =>
  event === undefined ? 0 : event.offset + event.sizeBytes;

test('a flood is told in samples, and its end for certain', () => {
  const buffer = Buffer.alloc(CHUNK, 'y\n');
  for (let chunk = 0; chunk < 1_600; chunk += 1) write('stdout', buffer, chunk * CHUNK);
  // The buffer is the pump's own, and used again.
  buffer.fill('x');
  vi.advanceTimersByTime(1_000);

  expect(told.length).toBeLessThan(100);
  expect(endOf(told.at(-1))).toBe(1_600 * CHUNK);
  expect(Buffer.from(told.at(-1)?.base64 ?? '', 'base64').toString()).toMatch(/^(y\n)+$/);
});

test('each stream has its own end, and nothing is told twice', () => {
  for (let chunk = 0; chunk < 200; chunk += 1) {
    write('stdout', Buffer.alloc(CHUNK), chunk * CHUNK);
    write('stderr', Buffer.alloc(100), chunk * 100);
  }
  vi.advanceTimersByTime(1_000);

  for (const [stream, end] of [
    ['stdout', 200 * CHUNK],
    ['stderr', 20_000],
  ] as const)
    expect(Math.max(...told.filter((each) => each.stream === stream).map(endOf))).toBe(end);
  const places = told.map(({ stream, offset }) => `${stream} ${offset}`);
  expect(new Set(places).size).toBe(places.length);
});

test('what is little is told whole, at once', () => {
  write('stdout', Buffer.from('hello\n'), 0);
  write('stdout', Buffer.from('world\n'), 6);

  expect(told.map(({ base64 }) => Buffer.from(base64, 'base64').toString())).toEqual([
    'hello\n',
    'world\n',
  ]);
});
