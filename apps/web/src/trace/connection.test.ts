import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LabConnection } from './connection.ts';
import { traceStore } from './trace-store.ts';

/** What a browser has while the other end keeps the TCP connection and says nothing. */
class SilentSocket extends EventTarget {
  static readonly OPEN = 1;
  static opened: SilentSocket[] = [];
  readyState = 0;
  constructor() {
    super();
    SilentSocket.opened.push(this);
  }
  close(): void {
    this.readyState = 2;
  }
  send(): void {}
  hear(frame: unknown): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(frame) }));
  }
}

const HELLO = { type: 'hello', engine: { canLaunch: true, daemons: [] }, traces: [] };
const state = () => traceStore.getState().connection.state;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', SilentSocket);
  SilentSocket.opened = [];
  traceStore.setState({ connection: { state: 'idle' } });
  new LabConnection(null).open();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a lab that never greets is lost, said so and tried again', () => {
  expect(state()).toBe('connecting');
  vi.advanceTimersByTime(5_000);

  expect(traceStore.getState().connection).toMatchObject({ state: 'lost', wasLive: false });
  expect(SilentSocket.opened[0]?.readyState).toBe(2);
  vi.advanceTimersByTime(500);
  expect(SilentSocket.opened).toHaveLength(2);
  // The page goes on saying that it is lost: a reader hears that once, and nothing on the page moves.
  SilentSocket.opened[0]?.hear(HELLO);
  expect(state()).toBe('lost');
  SilentSocket.opened[1]?.hear(HELLO);
  expect(state()).toBe('live');
});

test('a lab that has greeted is not given up', () => {
  SilentSocket.opened[0]?.hear(HELLO);
  vi.advanceTimersByTime(6_000);

  expect(state()).toBe('live');
  expect(SilentSocket.opened).toHaveLength(1);
});
