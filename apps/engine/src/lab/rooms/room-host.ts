/**
 * A room in the lab that has its engine: keeps the one true state, tells it over the bus, and takes the reports of the
 * labs that serve followers (this one among them).
 */
import { isDeepStrictEqual } from 'node:util';
import type { CheckAnswer, CheckRequest } from '../../protocol/lesson/predicate.ts';
import type {
  RoomCrowd,
  RoomLesson,
  RoomPlayhead,
  RoomPoint,
  RoomState,
} from '../../protocol/room/room.ts';
import type { EngineStatus, TraceSummary } from '../../protocol/trace/stream.ts';
import type { Bus } from '../bus/bus.ts';
import type { TraceStore } from '../collector/trace-store.ts';
import type { RunAccepted, RunRefused } from '../gateway/api-routes.ts';
import { subjectsOf, type News, type Report } from './bus-messages.ts';
import type { Room } from './room.ts';
import { TraceFeed } from './trace-feed.ts';

export interface RoomHostOptions {
  readonly room: Room;
  readonly bus: Bus;
  readonly store: TraceStore;
  readonly engine: () => EngineStatus;
  /** As the presenter: the audience asks only for what the presenter has offered. */
  readonly run: (command: string) => Promise<RunAccepted | RunRefused>;
  readonly check: (request: CheckRequest) => Promise<CheckAnswer>;
  readonly save: (room: Room) => void;
}

export interface HostListener {
  readonly onRoom?: (room: RoomState, elapsedMs: number) => void;
  readonly onCrowd?: (crowd: RoomCrowd) => void;
  readonly onClick?: (direction: 1 | -1) => void;
  readonly onRan?: (command: string, traceId: string) => void;
}

/** Also tells the labs that this one lives, and what they may have missed. */
const HEARTBEAT_MS = 2_000;
const CROWD_MS = 200;
/** Between two requests of the audience. */
const REQUEST_MS = 2_000;

export class RoomHost {
  readonly room: Room;
  readonly #options: RoomHostOptions;
  readonly #subjects: ReturnType<typeof subjectsOf>;
  readonly #feed: TraceFeed;
  readonly #listeners = new Set<HostListener>();
  readonly #ends: (() => void)[];
  #crowdTimer: NodeJS.Timeout | null = null;
  #lastCrowd: RoomCrowd | null = null;
  #isRunning = false;
  #isClosed = false;

  constructor(options: RoomHostOptions) {
    this.#options = options;
    this.room = options.room;
    this.#subjects = subjectsOf(options.room.code);
    this.#feed = new TraceFeed(options.store, (news) => this.#tell(news));
    const heartbeat = setInterval(() => {
      this.#tell(this.#roomNews());
      this.#crowdChanged();
    }, HEARTBEAT_MS);
    this.#ends = [
      options.bus.subscribe(this.#subjects.reports, (message) => this.#take(message as Report)),
      options.bus.onReturn(() => this.#tell(this.#roomNews())),
      () => clearInterval(heartbeat),
    ];
    this.#tell(this.#roomNews());
  }

  listen(listener: HostListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends) end();
    this.#feed.close();
    if (this.#crowdTimer) clearTimeout(this.#crowdTimer);
  }

  /** Something of the room has changed: everybody hears of it. */
  changed(): void {
    if (this.#isClosed) return;
    this.#options.save(this.room);
    this.#tell(this.#roomNews());
    for (const { onRoom } of this.#listeners) onRoom?.(this.room.state, this.room.elapsedMs);
    this.#crowdChanged();
  }

  /** False when this lab does not have the run: then the presenter may bring it. */
  async drive(playhead: RoomPlayhead, lesson: RoomLesson | null): Promise<boolean> {
    const { traceId } = playhead;
    const isThere =
      traceId === null ||
      this.#feed.has(traceId) ||
      (await this.#feed.show(traceId, this.room.learner));
    this.room.drive(playhead, lesson);
    this.changed();
    return isThere;
  }

  point(at: RoomPoint | null): void {
    this.#tell({ kind: 'point', at });
  }

  showRecording(summary: TraceSummary, lines: readonly string[]): void {
    this.#feed.showRecording(summary, lines);
  }

  async reveal(): Promise<string | null> {
    const { poll } = this.room;
    if (!poll) return 'there is no question to reveal';
    await poll.reveal(this.#options.check);
    this.room.revealed(poll);
    this.changed();
    return null;
  }

  /** Who waited for what is no longer offered is told so. */
  offer(commands: readonly string[]): void {
    for (const device of this.room.offer(commands))
      this.#tellDevice(device, 'the presenter has taken this back');
    this.changed();
  }

  #roomNews(): News {
    const { room } = this;
    return {
      kind: 'room',
      room: room.state,
      elapsedMs: room.elapsedMs,
      engine: { ...this.#options.engine(), dockerSocket: '' },
      seqs: this.#feed.seqs,
    };
  }

  #tell(news: News): void {
    this.#options.bus.publish(this.#subjects.news, news);
  }

  #take(report: Report): void {
    const { room } = this;
    switch (report.kind) {
      case 'sync':
        void this.#sync(report.replica, report.have);
        return;
      case 'presence':
        room.note(report.replica, report.presence);
        return this.#crowdChanged();
      case 'device':
        return this.#tellDevice(report.device, null);
      case 'answer':
        return this.#answer(report);
      case 'ask':
        return this.#ask(report);
      case 'click':
        if (room.isClicker(report.clicker))
          for (const { onClick } of this.#listeners) onClick?.(report.direction);
    }
  }

  async #sync(replica: string, have: Readonly<Record<string, number>>): Promise<void> {
    const publish = (news: News): void =>
      this.#options.bus.publish(this.#subjects.to(replica), news);
    await this.#feed.sendAll(have, publish);
    publish(this.#roomNews());
  }

  #answer({ device, poll, say }: Extract<Report, { kind: 'answer' }>): void {
    const current = this.room.poll;
    const problem =
      current?.question.id === poll ? current.answer(device, say) : 'the question is over';
    this.#tellDevice(device, problem);
    this.#crowdChanged();
  }

  #ask({ device, offer }: Extract<Report, { kind: 'ask' }>): void {
    const command = this.room.state.offers[offer];
    const problem =
      command === undefined
        ? 'the presenter does not offer this'
        : this.room.queue.add(device, command);
    this.#tellDevice(device, problem);
    if (problem !== null) return;
    this.#crowdChanged();
    void this.#serve();
  }

  /** One after the other; the engine is the presenter's, and may say no. */
  async #serve(): Promise<void> {
    if (this.#isRunning) return;
    const next = this.room.queue.next();
    if (!next) return;
    this.#isRunning = true;
    const answer = await this.#options.run(next.command).catch((error: unknown) => ({
      message: error instanceof Error ? error.message : String(error),
    }));
    if ('traceId' in answer)
      for (const { onRan } of this.#listeners) onRan?.(next.command, answer.traceId);
    this.#tellDevice(
      next.device,
      'traceId' in answer ? `${next.command}: it runs now` : answer.message,
    );
    for (const { device } of this.room.queue.waiting) this.#tellDevice(device, null);
    this.#crowdChanged();
    setTimeout(() => {
      this.#isRunning = false;
      void this.#serve();
    }, REQUEST_MS).unref();
  }

  /** Every lab hears it, and the one that knows the device passes it on. */
  #tellDevice(device: string, note: string | null): void {
    const { poll, queue } = this.room;
    this.#tell({
      kind: 'you',
      device,
      answer: poll?.answerOf(device) ?? null,
      place: queue.placeOf(device),
      note,
    });
  }

  #crowdChanged(): void {
    this.#crowdTimer ??= setTimeout(() => {
      this.#crowdTimer = null;
      const { crowd } = this.room;
      if (isDeepStrictEqual(crowd, this.#lastCrowd)) return;
      this.#lastCrowd = crowd;
      for (const { onCrowd } of this.#listeners) onCrowd?.(crowd);
    }, CROWD_MS);
  }
}
