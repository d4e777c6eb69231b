/** All rooms of this lab: those that it hosts, with its engine, and those that it serves to followers. */
import type { CheckAnswer, CheckRequest } from '../../protocol/lesson/predicate.ts';
import { ROOM_CODE, type RoomOfMine, type RoomOpened } from '../../protocol/room/room.ts';
import type { EngineStatus, TraceSummary } from '../../protocol/trace/stream.ts';
import type { Bus } from '../bus/bus.ts';
import type { TraceStore } from '../collector/trace-store.ts';
import type { RunAccepted, RunRefused } from '../gateway/api-routes.ts';
import type { SendToAll } from '../gateway/broadcast.ts';
import type { Learner } from '../gateway/guard.ts';
import type { Line } from '../gateway/page-connection.ts';
import { Desks } from './desks.ts';
import type { RoomFiles } from './room-files.ts';
import { RoomHost } from './room-host.ts';
import { RoomReplica } from './room-replica.ts';
import { Room } from './room.ts';
import { newCode } from './words.ts';

export interface RoomServiceOptions {
  readonly bus: Bus;
  readonly store: TraceStore;
  readonly engine: () => EngineStatus;
  readonly run: (command: string, learner: Learner) => Promise<RunAccepted | RunRefused>;
  readonly check: (request: CheckRequest, learner: Learner) => Promise<CheckAnswer>;
  readonly files: RoomFiles;
  /** Where the audience goes, and what to do when it cannot come. Known after listening. */
  readonly reach: () => Pick<RoomOpened, 'audienceUrl' | 'reach'>;
  /** Of the native part, where there is one. */
  readonly sendToAll: SendToAll | null;
}

interface Hosted {
  readonly host: RoomHost;
  readonly desks: Desks;
}

const ROOMS_A_LEARNER = 4;
/** How long another lab may take to say that a room is its own. */
const ASK_MS = 2_000;
const TIDY_MS = 30_000;
/** Rooms that one client may be looking for at the same time: guessing a code shall take long. */
const SEARCHES_A_CLIENT = 4;
const REPLICA_LIMIT = 256;

export class RoomService {
  readonly #options: RoomServiceOptions;
  readonly #hosted = new Map<string, Hosted>();
  readonly #replicas = new Map<string, RoomReplica>();
  /** Clients that wait to hear whether a room exists. */
  readonly #searches = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: RoomServiceOptions) {
    this.#options = options;
    for (const saved of options.files.load()) this.#host(new Room(saved));
    this.#timer = setInterval(() => this.#tidy(), TIDY_MS).unref();
  }

  open(presenter: string, learner: Learner): RoomOpened | { readonly message: string } {
    const mine = [...this.#hosted.values()].filter(({ host }) => host.room.opener === learner.id);
    if (mine.length >= ROOMS_A_LEARNER) {
      // A presenter who has gone without a word has left it behind; the oldest stands first.
      const forgotten = mine.find(({ host }) => !host.room.state.isDriven);
      if (!forgotten)
        return { message: `at most ${ROOMS_A_LEARNER} rooms at a time: end one first` };
      this.#end(forgotten.host.room.code);
    }
    const code = newCode((taken) => this.#hosted.has(taken));
    const room = Room.open(code, presenter, learner.id);
    this.#options.files.save(room.saved);
    this.#host(room);
    return { code, ...room.secrets, ...this.#options.reach() };
  }

  /** The rooms that this learner has open: after a reload, or in a second window. */
  list(learner: Learner): readonly RoomOfMine[] {
    return [...this.#hosted.values()]
      .filter(({ host }) => host.room.isOf(learner.id))
      .map(({ host }) => host.room.state)
      .map(({ code, presenter, isDriven }) => ({ code, presenter, isDriven }));
  }

  reach(): Pick<RoomOpened, 'audienceUrl' | 'reach'> {
    return this.#options.reach();
  }

  isMine(code: string, learner: Learner): boolean {
    return this.#hosted.get(code)?.host.room.isOf(learner.id) ?? false;
  }

  isHosted(code: string): boolean {
    return this.#hosted.has(code);
  }

  sit(code: string, line: Line, learner: Learner): void {
    this.#hosted.get(code)?.desks.add(line, learner);
  }

  /** Shows a run of this lab in a room without a presenter's desk: what the bench of the fan-out does. */
  show(code: string, traceId: string, realNs = 0): void {
    const host = this.#hosted.get(code)?.host;
    if (!host) return;
    const { playhead, lesson } = host.room.state;
    void host.drive({ ...playhead, traceId, realNs }, lesson);
  }

  /** The presenter brings a run that the lab does not have: a recording. False when the wheel is another's. */
  bringTrace(
    code: string,
    driver: string | undefined,
    trace: { readonly summary: TraceSummary; readonly lines: readonly string[] },
  ): boolean {
    const hosted = this.#hosted.get(code);
    if (!hosted?.host.room.isDriver(driver)) return false;
    hosted.host.showRecording(trace.summary, trace.lines);
    return true;
  }

  /** The room for a follower; null when nobody on the bus knows it, `busy` when the client asks for too many such. */
  async find(code: string, client: string): Promise<RoomReplica | null | 'busy'> {
    if (!ROOM_CODE.test(code)) return null;
    const known = this.#replicas.get(code);
    if (known?.isThere === true || this.#hosted.has(code)) return known ?? this.#follow(code);
    const searches = this.#searches.get(client) ?? 0;
    if (searches >= SEARCHES_A_CLIENT || this.#replicas.size >= REPLICA_LIMIT) return 'busy';
    this.#searches.set(client, searches + 1);
    const replica = known ?? this.#follow(code);
    const isKnown = await replica.isKnown(ASK_MS);
    const left = (this.#searches.get(client) ?? 1) - 1;
    if (left > 0) this.#searches.set(client, left);
    else this.#searches.delete(client);
    if (isKnown && !replica.isOver) return replica;
    if (this.#replicas.get(code) === replica) this.#replicas.delete(code);
    replica.close();
    return null;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { host, desks } of this.#hosted.values()) {
      desks.close();
      host.close();
    }
    for (const replica of this.#replicas.values()) replica.close();
  }

  #host(room: Room): void {
    const { bus, store, engine, run, check, files } = this.#options;
    const host = new RoomHost({
      room,
      bus,
      store,
      engine,
      run: (command) => run(command, { id: room.learner }),
      check: (request) => check(request, { id: room.learner }),
      save: ({ saved }) => files.save(saved),
    });
    this.#hosted.set(room.code, { host, desks: new Desks(host, () => this.#end(room.code)) });
  }

  #end(code: string): void {
    const hosted = this.#hosted.get(code);
    if (!hosted) return;
    hosted.host.room.end();
    hosted.host.changed();
    this.#hosted.delete(code);
    this.#options.files.remove(code);
    hosted.desks.close();
    hosted.host.close();
  }

  #follow(code: string): RoomReplica {
    const replica = new RoomReplica(code, this.#options.bus, this.#options.sendToAll);
    this.#replicas.set(code, replica);
    return replica;
  }

  #tidy(): void {
    for (const [code, replica] of this.#replicas) {
      if (!replica.isOver && !replica.isIdle) continue;
      replica.close();
      this.#replicas.delete(code);
    }
  }
}
