/** A room for tests: a line that the test plays, a run of ours, and the page in it. */
import { act, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { vi } from 'vitest';
import type { RoomState } from '@engine-room/engine/protocol/room/room.ts';
import { aRun } from '../model/a-run.fixture.ts';

/** A WebSocket on which the test says what comes; it keeps what was sent. */
export class RoomSocket extends EventTarget {
  static readonly OPEN = 1;
  static opened: RoomSocket[] = [];
  readonly url: URL;
  readonly protocols: readonly string[];
  readonly sent: { readonly type: string; readonly [key: string]: unknown }[] = [];
  readyState = 1;
  constructor(url: URL, protocols: readonly string[]) {
    super();
    this.url = url;
    this.protocols = protocols;
    RoomSocket.opened.push(this);
  }
  close(): void {
    this.readyState = 3;
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as RoomSocket['sent'][number]);
  }
  async hear(...frames: readonly object[]): Promise<void> {
    await act(async () => {
      for (const frame of frames)
        this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(frame) }));
      await Promise.resolve();
    });
  }
}

/** The newest of them. */
export const line = (): RoomSocket => {
  const newest = RoomSocket.opened.at(-1);
  if (!newest) throw new Error('nothing was opened');
  return newest;
};

export const RUN = aRun();
export const SUMMARY = {
  traceId: RUN[0]?.traceId ?? '',
  title: 'docker run --rm busybox echo hello',
  argv: null,
  origin: 'page',
  state: 'ended',
  exitCode: 0,
  anchor: { mono: '0', unixNano: '0' },
  eventCount: RUN.length,
  links: [],
  containerIds: [],
} as const;

/** Ada's room, before anything was shown in it. */
export const ROOM: RoomState = {
  code: 'amber-whale',
  version: 1,
  presenter: 'Ada',
  isDriven: true,
  lesson: null,
  poll: null,
  offers: [],
  isOver: false,
  playhead: {
    traceId: null,
    realNs: -1,
    step: 0,
    isResting: true,
    level: 'step',
    pace: 'learn',
    isPlaying: false,
    stopAt: null,
  },
};

export const listen = (): void => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  vi.stubGlobal('WebSocket', RoomSocket);
  RoomSocket.opened = [];
  sessionStorage.clear();
};

/** What a test draws, in a page of its own. */
export class Drawn {
  readonly page = document.createElement('div');
  readonly #root: Root;

  constructor() {
    document.body.append(this.page);
    this.#root = createRoot(this.page);
  }

  async draw(what: ReactNode, then?: () => Promise<void>): Promise<void> {
    await act(async () => {
      this.#root.render(what);
      await (then?.() ?? Promise.resolve());
    });
  }

  /** The first button with these words. */
  press(words: string): Promise<void> {
    const button = [...this.page.querySelectorAll('button')].find(({ textContent }) =>
      textContent.includes(words),
    );
    if (!button) throw new Error(`no button says ${words}`);
    return act(async () => {
      button.click();
      await Promise.resolve();
    });
  }

  async remove(): Promise<void> {
    await act(async () => {
      this.#root.unmount();
      await Promise.resolve();
    });
    this.page.remove();
    vi.unstubAllGlobals();
  }
}
