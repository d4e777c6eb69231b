import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { aRun } from '../model/a-run.fixture.ts';
import { LabConnection } from './connection.ts';
import { traceStore } from './trace-store.ts';

const RUN = aRun();
const TRACE_ID = RUN[0]?.traceId ?? '';

/** The other end of the line, as a test plays it. */
class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static readonly all: FakeSocket[] = [];
  readyState = 0;
  readonly sent: unknown[] = [];

  constructor() {
    super();
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  /** A dead line never says that it is closed. */
  close(): void {
    this.readyState = 2;
  }

  says(frame: object): void {
    this.readyState = FakeSocket.OPEN;
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(frame) }));
  }

  breaks(): void {
    this.readyState = 3;
    this.dispatchEvent(new Event('close'));
  }
}

const ENGINE = { canLaunch: true, reason: null, daemons: [], dockerSocket: '', limits: {} };
const SUMMARY = {
  traceId: TRACE_ID,
  title: 'docker run --rm busybox echo hello',
  argv: null,
  origin: 'page',
  state: 'running',
  exitCode: null,
  anchor: { mono: '1', unixNano: '1' },
  eventCount: 0,
  links: [],
  containerIds: [],
};
const HELLO = { type: 'hello', version: 1, engine: ENGINE, traces: [SUMMARY] };

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('nobody is there')));
  FakeSocket.all.length = 0;
  traceStore.setState({ connection: { state: 'idle' }, engine: null, runs: new Map() });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('the line to the lab', () => {
  test('a line that came back goes on after the last event that came whole, and loses none', async () => {
    new LabConnection('word').open();
    const [first] = FakeSocket.all;
    first?.says(HELLO);
    expect(first?.sent[0]).toEqual({ type: 'resume', have: {} });
    // Number 31 was lost on the way: what came after it is not counted as had.
    const events = RUN.slice(0, 40).filter(({ seq }) => seq !== 31);
    first?.says({ type: 'events', frame: 1, traceId: TRACE_ID, events });
    // Two frames, and one acknowledgement for both, a moment later.
    first?.says({ type: 'events', frame: 2, traceId: TRACE_ID, events: [] });
    await vi.advanceTimersByTimeAsync(400);
    expect(first?.sent).toContainEqual({ type: 'ack', frame: 2 });
    expect(first?.sent).not.toContainEqual({ type: 'ack', frame: 1 });

    first?.breaks();
    await vi.advanceTimersByTimeAsync(500);
    const second = FakeSocket.all[1];
    second?.says(HELLO);

    expect(second?.sent[0]).toEqual({ type: 'resume', have: { [TRACE_ID]: 30 } });
    second?.says({ type: 'events', frame: 1, traceId: TRACE_ID, events: RUN.slice(30) });
    expect(traceStore.getState().runs.get(TRACE_ID)?.model.length).toBe(RUN.length);
  });

  test('where frames never pause, one acknowledgement is for twenty of them at most', () => {
    new LabConnection('word').open();
    const [line] = FakeSocket.all;
    line?.says(HELLO);
    const acks = (): number[] =>
      ((line?.sent ?? []) as { type: string; frame: number }[])
        .filter(({ type }) => type === 'ack')
        .map(({ frame }) => frame);

    for (let frame = 1; frame <= 200; frame += 1)
      line?.says({ type: 'events', frame, traceId: TRACE_ID, events: [] });

    const steps = acks().map((frame, index) => frame - (acks()[index - 1] ?? 0));
    expect(steps.length).toBeGreaterThanOrEqual(10);
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(12);
    expect(Math.max(...steps)).toBeLessThanOrEqual(20);
  });
});
