/**
 * The whole state of a room and its rules, without a socket or a clock of its own. One secret drives it: who has the
 * wheel; handing it over makes a new one, so that two presenters can never race.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type {
  PollQuestion,
  RoomCrowd,
  RoomLesson,
  RoomPlayhead,
  RoomState,
} from '../../protocol/room/room.ts';
import { Poll } from './poll.ts';
import { RequestQueue } from './request-queue.ts';

/** What one lab says of the followers that it serves. */
export interface Presence {
  readonly devices: number;
  readonly away: number;
  readonly screens: Readonly<Record<string, number>>;
}

/** What is kept over a restart of the lab. Answers are not: they are asked for anew. */
export interface SavedRoom {
  readonly code: string;
  readonly version: number;
  readonly presenter: string;
  /** Who has opened it, and who drives it now when that is somebody else. */
  readonly learner: string;
  readonly guest?: string;
  readonly driver: string;
  readonly clicker: string;
  readonly playhead: RoomPlayhead;
  readonly lesson: RoomLesson | null;
  readonly offers: readonly string[];
}

const NOWHERE: RoomPlayhead = {
  traceId: null,
  realNs: -1,
  step: 0,
  isResting: true,
  level: 'step',
  pace: 'learn',
  isPlaying: false,
  stopAt: null,
};

const PRESENCE_MS = 10_000;
const newSecret = (): string => randomBytes(18).toString('base64url');
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const isSame = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

export class Room {
  readonly code: string;
  readonly opener: string;
  readonly queue: RequestQueue;
  readonly #now: () => number;
  readonly #presence = new Map<string, { readonly presence: Presence; readonly atMs: number }>();
  readonly #results: RoomCrowd['results'][number][] = [];
  #version: number;
  #presenter: string;
  #learner: string;
  #driver: string;
  #clicker: string;
  #playhead: RoomPlayhead;
  #playheadAtMs: number;
  #lesson: RoomLesson | null;
  #offers: readonly string[];
  #poll: Poll | null = null;
  #isDriven = false;
  #isOver = false;

  constructor(saved: SavedRoom, now: () => number = () => performance.now()) {
    this.#now = now;
    this.queue = new RequestQueue(now);
    this.code = saved.code;
    this.opener = saved.learner;
    this.#learner = saved.guest ?? saved.learner;
    this.#version = saved.version;
    this.#presenter = saved.presenter;
    this.#driver = saved.driver;
    this.#clicker = saved.clicker;
    this.#playhead = saved.playhead;
    this.#playheadAtMs = now();
    this.#lesson = saved.lesson;
    this.#offers = saved.offers;
  }

  static open(code: string, presenter: string, learner: string, now?: () => number): Room {
    const fresh = { driver: newSecret(), clicker: newSecret(), playhead: NOWHERE };
    return new Room(
      { code, presenter, learner, version: 1, lesson: null, offers: [], ...fresh },
      now,
    );
  }

  get saved(): SavedRoom {
    return {
      code: this.code,
      version: this.#version,
      presenter: this.#presenter,
      learner: this.opener,
      guest: this.#learner,
      driver: this.#driver,
      clicker: this.#clicker,
      playhead: this.#playhead,
      lesson: this.#lesson,
      offers: this.#offers,
    };
  }

  get state(): RoomState {
    return {
      code: this.code,
      version: this.#version,
      presenter: this.#presenter,
      isDriven: this.#isDriven,
      playhead: this.#playhead,
      lesson: this.#lesson,
      poll: this.#poll?.shown() ?? null,
      offers: this.#offers,
      isOver: this.#isOver,
    };
  }

  get elapsedMs(): number {
    return Math.round(this.#now() - this.#playheadAtMs);
  }

  get poll(): Poll | null {
    return this.#poll;
  }

  get secrets(): { readonly driver: string; readonly clicker: string } {
    return { driver: this.#driver, clicker: this.#clicker };
  }

  isDriver(secret: string | undefined): boolean {
    return secret !== undefined && isSame(secret, this.#driver);
  }

  isClicker(secret: string): boolean {
    return isSame(secret, this.#clicker);
  }

  /** Whose runs it shows and whose containers it asks of: who drives, drives their own. */
  get learner(): string {
    return this.#learner;
  }

  isOf(learner: string): boolean {
    return learner === this.opener || learner === this.#learner;
  }

  /** Whoever had the wheel has it no more. */
  newDriver(presenter: string, learner: string): void {
    this.#learner = learner;
    this.#driver = newSecret();
    this.#clicker = newSecret();
    this.#presenter = presenter;
    this.#version++;
  }

  setDriven(isDriven: boolean): void {
    if (this.#isDriven === isDriven) return;
    this.#isDriven = isDriven;
    this.#version++;
  }

  drive(playhead: RoomPlayhead, lesson: RoomLesson | null): void {
    this.#playhead = playhead;
    this.#playheadAtMs = this.#now();
    this.#lesson = lesson;
    this.#version++;
  }

  setPoll(question: PollQuestion | null): void {
    this.#poll = question && new Poll(question);
    this.#version++;
  }

  closePoll(): void {
    this.#poll?.close();
    this.#version++;
  }

  revealed(poll: Poll): void {
    const { id, ask } = poll.question;
    const before = this.#results.findIndex((result) => result.poll === id);
    const result = { poll: id, ask, answered: poll.answered, right: poll.right };
    this.#results.splice(before < 0 ? this.#results.length : before, before < 0 ? 0 : 1, result);
    this.#version++;
  }

  offer(commands: readonly string[]): readonly string[] {
    this.#offers = commands;
    this.#version++;
    return this.queue.keepOnly(commands);
  }

  end(): void {
    this.#isOver = true;
    this.#isDriven = false;
    this.#poll = null;
    this.#version++;
  }

  /** What a lab of the room says of its followers; one that says nothing any more has none. */
  note(replica: string, presence: Presence): void {
    this.#presence.set(replica, { presence, atMs: this.#now() });
  }

  get crowd(): RoomCrowd {
    for (const [replica, { atMs }] of this.#presence)
      if (this.#now() - atMs > PRESENCE_MS) this.#presence.delete(replica);
    const present = [...this.#presence.values()].map(({ presence }) => presence);
    const screens: Record<string, number> = {};
    for (const each of present)
      for (const [screen, count] of Object.entries(each.screens))
        screens[screen] = (screens[screen] ?? 0) + count;
    return {
      devices: present.reduce((sum, { devices }) => sum + devices, 0),
      away: present.reduce((sum, { away }) => sum + away, 0),
      answered: this.#poll?.answered ?? 0,
      counts: this.#poll?.counts() ?? {},
      results: [...this.#results],
      screens,
      queue: this.queue.waiting.map(({ id, command }) => ({ id, command })),
    };
  }
}
