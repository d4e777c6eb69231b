/**
 * The presenters' side of a room: every desk of its presenter sees the crowd, one of them has the wheel. Whoever wants
 * it asks, and who has it hands it over; a wheel that nobody holds any more is there for its presenter to take. A
 * colleague, who sits here from another browser, is a guest: sees what the audience sees until the wheel is handed over.
 */
import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { DeskFrame, DeskWord } from '../../protocol/room/room.ts';
import type { Learner } from '../gateway/guard.ts';
import { PageConnection, type Line } from '../gateway/page-connection.ts';
import { Outgoing } from '../gateway/outgoing.ts';
import type { RoomHost } from './room-host.ts';
import { deskWord } from './room-schema.ts';

interface Desk {
  readonly id: string;
  readonly line: PageConnection<DeskWord>;
  readonly learner: Learner;
  name: string;
  hasWheel: boolean;
}

const DESK_LIMIT = 16;
const GUEST_LIMIT = 4;
const NOBODY_TO_ASK = 'the presenter is away, and nobody else can hand the wheel over';
const OLD_SECRET = 'somebody else has the wheel now';

export class Desks {
  readonly #host: RoomHost;
  readonly #onEnd: () => void;
  readonly #desks = new Set<Desk>();
  readonly #stopListening: () => void;

  constructor(host: RoomHost, onEnd: () => void) {
    this.#host = host;
    this.#onEnd = onEnd;
    this.#stopListening = host.listen({
      onRoom: (room, elapsedMs) => this.#tellAll({ type: 'room', room, elapsedMs }),
      onCrowd: (crowd) => this.#tellOwn({ type: 'crowd', crowd }),
      onClick: (direction) => this.#tellDriver({ type: 'click', direction }),
      onRan: (command, traceId) => this.#tellOwn({ type: 'ran', command, traceId }),
    });
  }

  add({ socket, wire }: Line, learner: Learner): void {
    const isGuest = !this.#host.room.isOf(learner.id);
    const others = [...this.#desks].filter((desk) => this.#isGuest(desk) === isGuest);
    if (others.length >= (isGuest ? GUEST_LIMIT : DESK_LIMIT))
      return socket.close(1013, 'this room has too many presenters');
    const line = new PageConnection<DeskWord>(socket, deskWord, wire);
    const id = randomBytes(6).toString('hex');
    const desk: Desk = { id, line, learner, name: '', hasWheel: false };
    this.#desks.add(desk);
    const { state, elapsedMs, crowd } = this.#host.room;
    this.#tell(desk, { type: 'room', room: state, elapsedMs });
    if (!isGuest) this.#tell(desk, { type: 'crowd', crowd });
    this.#listen(desk, socket);
  }

  close(): void {
    this.#stopListening();
    for (const { line } of this.#desks) line.close(1001, 'the room is over');
  }

  #listen(desk: Desk, socket: WebSocket): void {
    socket.on('message', (data, isBinary) => {
      const word = desk.line.parse(data as Buffer, isBinary);
      if (!word) return;
      this.#take(desk, word).catch((error: unknown) => {
        this.#tell(desk, {
          type: 'refused',
          message: error instanceof Error ? error.message : String(error),
        });
      });
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#desks.delete(desk);
      if (!desk.hasWheel) return;
      this.#host.room.setDriven(false);
      this.#host.changed();
    });
  }

  async #take(desk: Desk, word: DeskWord): Promise<void> {
    if (word.type === 'sit') return this.#sit(desk, word);
    if (word.type === 'take-wheel') return this.#askForWheel(desk);
    const host = this.#host;
    if (!host.room.isDriver(word.driver)) {
      desk.hasWheel = false;
      return this.#tell(desk, { type: 'refused', message: OLD_SECRET });
    }
    switch (word.type) {
      case 'drive': {
        const isThere = await host.drive(word.playhead, word.lesson);
        const { traceId } = word.playhead;
        if (!isThere && traceId !== null) this.#tell(desk, { type: 'trace-wanted', traceId });
        return;
      }
      case 'point':
        return host.point(word.at);
      case 'poll':
        host.room.setPoll(word.question);
        return host.changed();
      case 'close-poll':
        host.room.closePoll();
        return host.changed();
      case 'reveal': {
        const problem = await host.reveal();
        return problem === null
          ? undefined
          : this.#tell(desk, { type: 'refused', message: problem });
      }
      case 'offer':
        return host.offer(word.commands);
      case 'hand-over':
        return this.#handOver(word.to);
      case 'end':
        return this.#onEnd();
    }
  }

  #sit(desk: Desk, { name, driver }: Extract<DeskWord, { type: 'sit' }>): void {
    desk.name = name;
    if (driver === undefined) return;
    if (!this.#host.room.isDriver(driver))
      return this.#tell(desk, { type: 'refused', message: OLD_SECRET });
    for (const other of this.#desks) other.hasWheel = other === desk;
    this.#host.room.setDriven(true);
    this.#tell(desk, { type: 'wheel', ...this.#host.room.secrets });
    this.#host.changed();
  }

  #askForWheel(desk: Desk): void {
    const driver = this.#driver();
    if (driver === desk) return;
    if (!driver && this.#isGuest(desk))
      return this.#tell(desk, { type: 'refused', message: NOBODY_TO_ASK });
    if (!driver) return this.#give(desk);
    this.#tell(driver, { type: 'wheel-asked', by: desk.id, name: desk.name });
  }

  #handOver(to: string): void {
    const desk = [...this.#desks].find(({ id }) => id === to);
    if (desk) this.#give(desk);
  }

  #give(desk: Desk): void {
    const before = this.#driver();
    const { room } = this.#host;
    room.newDriver(desk.name === '' ? room.state.presenter : desk.name, desk.learner.id);
    for (const other of this.#desks) other.hasWheel = other === desk;
    this.#host.room.setDriven(true);
    if (before) this.#tell(before, { type: 'wheel-lost', to: desk.name });
    this.#tell(desk, { type: 'wheel', ...room.secrets });
    this.#tell(desk, { type: 'crowd', crowd: room.crowd });
    this.#host.changed();
  }

  #isGuest({ learner }: Desk): boolean {
    return !this.#host.room.isOf(learner.id);
  }

  #driver(): Desk | undefined {
    return [...this.#desks].find(({ hasWheel }) => hasWheel);
  }

  #tell(desk: Desk, frame: DeskFrame): void {
    desk.line.send(new Outgoing(frame));
  }

  #tellDriver(frame: DeskFrame): void {
    const driver = this.#driver();
    if (driver) this.#tell(driver, frame);
  }

  /** What is the presenter's alone. */
  #tellOwn(frame: DeskFrame): void {
    const outgoing = new Outgoing(frame);
    for (const desk of this.#desks) if (!this.#isGuest(desk)) desk.line.send(outgoing);
  }

  #tellAll(frame: DeskFrame): void {
    const outgoing = new Outgoing(frame);
    for (const { line } of this.#desks) line.send(outgoing);
  }
}
