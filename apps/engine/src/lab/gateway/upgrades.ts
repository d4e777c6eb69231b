/** Which path becomes which WebSocket, for whom, and how many of them. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { RoomService } from '../rooms/room-service.ts';
import { ConnectionQuota } from './connection-quota.ts';
import { WS_PROTOCOL, type Guard, type Learner } from './guard.ts';
import type { Line } from './page-connection.ts';
import type { TerminalService } from '../terminal/terminal-service.ts';
import type { StreamHub } from './stream-hub.ts';

const FRAME_LIMIT_BYTES = 64 * 1024;
/** A follower has little to say. */
const FOLLOWER_FRAME_LIMIT_BYTES = 4 * 1024;
const PAGES_A_CLIENT = 128;
/** A class often shares one address. */
const FOLLOWERS_A_CLIENT = 5_000;
const ROOM_PATH = /^\/api\/rooms\/([a-z-]{5,25})\/(stream|desk)$/;

interface Refused {
  readonly status: number;
  readonly message: string;
}

const NOT_FOUND: Refused = { status: 404, message: 'page not found' };
const TOO_MANY: Refused = { status: 429, message: 'too many connections from your address' };

const handleProtocols = (offered: Set<string>): string | false =>
  offered.has(WS_PROTOCOL) ? WS_PROTOCOL : false;

export class Upgrades {
  readonly #guard: Guard;
  readonly #rooms: RoomService;
  /** Null where only rooms are to be had. */
  readonly #hub: StreamHub | null;
  readonly #terminals: TerminalService | null;
  readonly #maySee: (traceId: string, learner: Learner) => boolean;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_LIMIT_BYTES,
    // What travels is on this machine; compressing it would cost more than sending it.
    perMessageDeflate: false,
    handleProtocols,
  });
  /** Here we compress ourselves, once for all; ws only agrees on it and unpacks what comes. */
  readonly #followers = new WebSocketServer({
    noServer: true,
    maxPayload: FOLLOWER_FRAME_LIMIT_BYTES,
    perMessageDeflate: {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      threshold: Number.MAX_SAFE_INTEGER,
    },
    handleProtocols,
  });
  readonly #pageQuota = new ConnectionQuota(PAGES_A_CLIENT);
  readonly #followerQuota = new ConnectionQuota(FOLLOWERS_A_CLIENT);

  constructor(
    guard: Guard,
    rooms: RoomService,
    {
      hub = null,
      terminals = null,
      maySee = () => false,
    }: {
      readonly hub?: StreamHub | null;
      readonly terminals?: TerminalService | null;
      readonly maySee?: (traceId: string, learner: Learner) => boolean;
    } = {},
  ) {
    this.#guard = guard;
    this.#rooms = rooms;
    this.#hub = hub;
    this.#terminals = terminals;
    this.#maySee = maySee;
  }

  close(): void {
    this.#sockets.close();
    this.#followers.close();
  }

  take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    this.#take(request, socket, head)
      .then((refused) => {
        if (refused) refuse(socket, refused);
      })
      .catch((error: unknown) => {
        console.error(error);
        socket.destroy();
      });
  }

  async #take(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<Refused | null> {
    const [, code = '', kind] = ROOM_PATH.exec(request.url ?? '') ?? [];
    const isPage = this.#hub !== null && request.url === '/api/stream';
    const isTerminal = this.#terminals !== null && request.url === '/api/terminal';
    if (!isPage && !isTerminal && kind === undefined) return NOT_FOUND;
    if (kind === 'desk' && !this.#hub) return NOT_FOUND;
    const refusal = this.#guard.checkOrigin(request);
    if (refusal) return refusal;
    if (kind === 'stream') return this.#follower(code, request, socket, head);
    const learner = this.#guard.learnerOfUpgrade(request);
    if ('status' in learner) return learner;
    if (kind === 'desk') {
      const refused = await this.#noDesk(code, request, learner);
      if (refused) return refused;
    }
    if (!this.#pageQuota.take(request.socket)) return TOO_MANY;
    this.#sockets.handleUpgrade(request, socket, head, (page) => {
      if (isTerminal) return this.#terminals?.add(page, learner);
      const line: Line = { socket: page, wire: null };
      if (kind === 'desk') this.#rooms.sit(code, line, learner);
      else {
        const maySee = (traceId: string): boolean => this.#maySee(traceId, learner);
        this.#hub?.add(line, { learner: learner.id, maySee });
      }
    });
    return null;
  }

  /** Who has not opened the room has to know its two words, as a follower does, and finds out no faster. */
  async #noDesk(code: string, request: IncomingMessage, learner: Learner): Promise<Refused | null> {
    if (this.#rooms.isMine(code, learner)) return null;
    const found = await this.#rooms.find(code, request.socket.remoteAddress ?? '');
    if (found === 'busy') return { status: 429, message: 'too many rooms are asked for' };
    return found !== null && this.#rooms.isHosted(code)
      ? null
      : { status: 404, message: 'there is no such room here' };
  }

  async #follower(
    code: string,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<Refused | null> {
    const room = await this.#rooms.find(code, request.socket.remoteAddress ?? '');
    if (room === null) return { status: 404, message: 'there is no such room' };
    if (room === 'busy') return { status: 429, message: 'too many rooms are asked for' };
    if (room.isFull) return { status: 503, message: 'this room is full' };
    if (!this.#followerQuota.take(request.socket)) return TOO_MANY;
    if (socket.destroyed) return null;
    this.#followers.handleUpgrade(request, socket, head, (page) => {
      const isDeflated = page.extensions.includes('permessage-deflate');
      room.add({ socket: page, wire: { bytes: request.socket, isDeflated } });
    });
    return null;
  }
}

const refuse = (socket: Duplex, { status, message }: Refused): void => {
  const body = JSON.stringify({ message });
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
};
