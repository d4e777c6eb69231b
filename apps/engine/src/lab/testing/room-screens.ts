/** Screens of a room over real WebSockets: a follower and a presenter's desk, which remember what they were told. */
import { once } from 'node:events';
import { vi } from 'vitest';
import WebSocket from 'ws';
import type { DeskFrame, DeskWord, RoomFrame, RoomWord } from '../../protocol/room/room.ts';
import type { ClientFrame, ServerFrame } from '../../protocol/trace/stream.ts';

type FollowerFrame = ServerFrame | RoomFrame;

class Screen<In extends { readonly type: string }, Out> {
  readonly frames: In[] = [];
  readonly socket: WebSocket;

  constructor(url: string, protocols: readonly string[], headers = {}) {
    this.socket = new WebSocket(url, [...protocols], { perMessageDeflate: true, headers });
    this.socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as In;
      this.frames.push(frame);
      if (frame.type === 'events' && 'frame' in frame)
        this.socket.send(JSON.stringify({ type: 'ack', frame: frame.frame }));
    });
    this.socket.on('error', () => undefined);
  }

  async open(): Promise<this> {
    await once(this.socket, 'open');
    return this;
  }

  say(word: Out): void {
    this.socket.send(JSON.stringify(word));
  }

  /** The latest frame of this kind. */
  last<Type extends In['type']>(type: Type): Extract<In, { type: Type }> | undefined {
    return this.frames.findLast(
      (frame): frame is Extract<In, { type: Type }> => frame.type === type,
    );
  }

  until<T>(expectation: () => T): Promise<T> {
    return vi.waitFor(expectation, { timeout: 20_000, interval: 10 });
  }
}

export class FollowerScreen extends Screen<FollowerFrame, RoomWord | ClientFrame> {
  static open(base: string, code: string): Promise<FollowerScreen> {
    const url = `${base.replace('http', 'ws')}/api/rooms/${code}/stream`;
    return new FollowerScreen(url, ['engine-room.v1']).open();
  }

  get room() {
    return this.last('room')?.room;
  }

  /** Which events of a run it was sent, in order. */
  seqsOf(traceId: string): readonly number[] {
    return this.frames.flatMap((frame) =>
      frame.type === 'events' && frame.traceId === traceId
        ? frame.events.map(({ seq }) => seq)
        : [],
    );
  }

  /** The ids of the events that it was sent, in order. */
  get events(): readonly string[] {
    return this.frames.flatMap((frame) =>
      frame.type === 'events' ? frame.events.map(({ id }) => id) : [],
    );
  }
}

export class DeskScreen extends Screen<DeskFrame, DeskWord> {
  static open(base: string, code: string, token: string, cookie = ''): Promise<DeskScreen> {
    const url = `${base.replace('http', 'ws')}/api/rooms/${code}/desk`;
    return new DeskScreen(url, ['engine-room.v1', `token.${token}`], { Cookie: cookie }).open();
  }
}
