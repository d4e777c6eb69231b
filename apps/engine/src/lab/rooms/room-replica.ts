/**
 * A room in a lab that serves followers: a copy that heals itself. What it has missed (it came late, the line broke, the
 * host was away) it asks for again, and meanwhile it serves what it has.
 */
import { randomBytes } from 'node:crypto';
import type { RoomFrame, RoomState, RoomWord } from '../../protocol/room/room.ts';
import type { ClientFrame, EngineStatus } from '../../protocol/trace/stream.ts';
import type { Bus } from '../bus/bus.ts';
import type { SendToAll } from '../gateway/broadcast.ts';
import { Outgoing } from '../gateway/outgoing.ts';
import type { Line, PageConnection } from '../gateway/page-connection.ts';
import { StreamHub } from '../gateway/stream-hub.ts';
import { subjectsOf, type News, type Report, type ReportBody } from './bus-messages.ts';
import type { Presence } from './room.ts';
import { roomWord } from './room-schema.ts';
import { RoomTraces } from './room-traces.ts';

type Page = PageConnection<ClientFrame | RoomWord>;

/** What a follower's page has said of itself. */
interface Follower {
  readonly device: string;
  readonly isDevice: boolean;
  isAway: boolean;
  screen: number | null;
}

const SYNC_RETRY_MS = 1_000;
const SYNC_PAUSE_MS = 200;
const PRESENCE_MS = 250;
const PRESENCE_AT_LEAST_MS = 3_000;
/** Three heartbeats of the host. */
const HOST_SILENCE_MS = 6_500;
/** Past this, the words of one room are a flood and not an audience. */
const FOLLOWER_LIMIT = 6_000;

const IDLE_MS = 60_000;

const NO_ENGINE: EngineStatus = {
  canLaunch: false,
  reason: 'the engine is the presenter’s',
  daemons: [],
  dockerSocket: '',
  limits: { maxContainers: 0, runTimeoutMs: 0 },
};

export class RoomReplica {
  readonly traces = new RoomTraces();
  readonly code: string;
  readonly #id = randomBytes(8).toString('hex');
  readonly #bus: Bus;
  readonly #subjects: ReturnType<typeof subjectsOf>;
  readonly #hub: StreamHub<RoomWord>;
  readonly #followers = new Map<Page, Follower>();
  readonly #ends: (() => void)[];
  readonly #known: Promise<boolean>;
  #beKnown: (isKnown: boolean) => void = () => undefined;
  #room: RoomState | null = null;
  #roomAtMs = 0;
  #heardAtMs = 0;
  #engine = NO_ENGINE;
  #syncTimer: NodeJS.Timeout | null = null;
  #syncAskedAtMs = -Infinity;
  #usedAtMs = performance.now();
  #presenceTimer: NodeJS.Timeout | null = null;
  #presenceToldAtMs = 0;

  constructor(code: string, bus: Bus, sendToAll: SendToAll | null = null) {
    this.code = code;
    this.#bus = bus;
    this.#subjects = subjectsOf(code);
    this.#known = new Promise((resolve) => {
      this.#beKnown = resolve;
    });
    this.#hub = new StreamHub<RoomWord>({
      store: this.traces,
      engine: () => this.#engine,
      sendToAll,
      guests: {
        words: roomWord,
        take: (page, word) => this.#takeWord(page, word),
        leave: (page) => this.#left(page),
      },
    });
    const timer = setInterval(() => this.#watch(), SYNC_RETRY_MS);
    const take = (message: object): void => this.#takeNews(message as News);
    this.#ends = [
      bus.subscribe(this.#subjects.news, take),
      bus.subscribe(this.#subjects.to(this.#id), take),
      bus.onReturn(() => {
        this.#sync();
        this.#tellPresence();
      }),
      () => clearInterval(timer),
    ];
    this.#sync();
  }

  /** Whether there is such a room, as far as anybody on the bus says within the time. */
  async isKnown(withinMs: number): Promise<boolean> {
    this.#usedAtMs = performance.now();
    const timer = setTimeout(() => this.#beKnown(false), withinMs);
    const isKnown = await this.#known;
    clearTimeout(timer);
    return isKnown || this.#room !== null;
  }

  get isThere(): boolean {
    return this.#room !== null && !this.#room.isOver;
  }

  get isFull(): boolean {
    return this.#followers.size >= FOLLOWER_LIMIT;
  }

  /** Nobody is there, and nobody has come for a while. */
  get isIdle(): boolean {
    return this.#hub.pageCount === 0 && performance.now() - this.#usedAtMs > IDLE_MS;
  }

  get isOver(): boolean {
    return this.#room?.isOver ?? false;
  }

  add(line: Line): void {
    const page = this.#hub.add(line);
    const frame = this.#roomFrame();
    if (frame) page.send(new Outgoing(frame));
  }

  close(): void {
    for (const end of this.#ends) end();
    for (const timer of [this.#presenceTimer, this.#syncTimer]) if (timer) clearTimeout(timer);
    this.#report({ kind: 'presence', presence: { devices: 0, away: 0, screens: {} } });
    this.#hub.close();
    this.#beKnown(false);
  }

  #takeNews(news: News): void {
    this.#heardAtMs = performance.now();
    switch (news.kind) {
      case 'room':
        return this.#takeRoom(news);
      case 'trace':
        return this.traces.noteSummary(news.trace);
      case 'events':
        if (!this.traces.add(news.traceId, news.firstSeq, news.lines)) this.#sync();
        return;
      case 'point':
        return this.#hub.tell(new Outgoing({ type: 'point', at: news.at } satisfies RoomFrame));
      case 'you':
        return this.#tellDevice(news);
    }
  }

  #takeRoom({ room, elapsedMs, engine, seqs }: Extract<News, { kind: 'room' }>): void {
    const isNews = this.#room?.version !== room.version;
    const hasPoll = this.#room?.poll?.id !== room.poll?.id;
    this.#room = room;
    this.#roomAtMs = performance.now() - elapsedMs;
    this.#beKnown(true);
    if (JSON.stringify(engine) !== JSON.stringify(this.#engine)) {
      this.#engine = engine;
      this.#hub.engineChanged();
    }
    if (Object.entries(seqs).some(([traceId, seq]) => this.traces.lastSeq(traceId) < seq))
      this.#sync();
    if (isNews) this.#tellRoom();
    // Of the new question every device hears that it has not answered it.
    if (hasPoll)
      for (const { device, isDevice } of this.#followers.values())
        if (isDevice) this.#report({ kind: 'device', device });
    if (room.isOver) this.#hub.close();
  }

  #roomFrame(): RoomFrame | null {
    if (!this.#room) return null;
    const elapsedMs = Math.round(performance.now() - this.#roomAtMs);
    return { type: 'room', room: this.#room, elapsedMs };
  }

  #tellRoom(): void {
    const frame = this.#roomFrame();
    if (frame) this.#hub.tell(new Outgoing(frame));
  }

  #tellDevice({ device, answer, place, note }: Extract<News, { kind: 'you' }>): void {
    const frame: RoomFrame = { type: 'you', device, answer, place, note };
    for (const [page, follower] of this.#followers)
      if (follower.device === device) page.send(new Outgoing(frame));
  }

  #takeWord(page: Page, word: RoomWord): void {
    if (word.type === 'join') return this.#join(page, word);
    if (word.type === 'click')
      return this.#report({ kind: 'click', clicker: word.clicker, direction: word.direction });
    const follower = this.#followers.get(page);
    // Who has not joined, only watches.
    if (!follower) return;
    const { device } = follower;
    if (word.type === 'answer') {
      this.#report({ kind: 'answer', device, poll: word.poll, say: word.say });
    } else if (word.type === 'ask') {
      this.#report({ kind: 'ask', device, offer: word.offer });
    } else {
      follower.isAway = word.isAway;
      follower.screen = word.screen;
      this.#presenceSoon();
    }
  }

  #join(page: Page, { as, device }: Extract<RoomWord, { type: 'join' }>): void {
    if (this.isFull) return page.close(1013, 'this room is full');
    const isDevice = as === 'device';
    const id = device ?? randomBytes(16).toString('hex');
    this.#followers.set(page, { device: id, isDevice, isAway: false, screen: null });
    if (isDevice) this.#report({ kind: 'device', device: id });
    this.#presenceSoon();
  }

  #left(page: Page): void {
    if (this.#followers.delete(page)) this.#presenceSoon();
  }

  #report(report: ReportBody): void {
    const signed: Report = { ...report, replica: this.#id };
    this.#bus.publish(this.#subjects.reports, signed);
  }

  /** Asks for what is missing; at most so often, because the answer is on its way. */
  #sync(): void {
    if (this.#syncTimer) return;
    const waitMs = Math.max(0, this.#syncAskedAtMs + SYNC_PAUSE_MS - performance.now());
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = null;
      this.#syncAskedAtMs = performance.now();
      this.#report({ kind: 'sync', have: this.traces.have });
    }, waitMs);
  }

  #watch(): void {
    const now = performance.now();
    if (!this.#room) return this.#sync();
    if (this.#room.isDriven && now - this.#heardAtMs > HOST_SILENCE_MS) {
      // The followers go on with what they have, and read that nobody drives.
      this.#room = { ...this.#room, isDriven: false, version: this.#room.version + 0.5 };
      this.#tellRoom();
    }
    if (now - this.#presenceToldAtMs > PRESENCE_AT_LEAST_MS) this.#tellPresence();
  }

  #presenceSoon(): void {
    this.#presenceTimer ??= setTimeout(() => this.#tellPresence(), PRESENCE_MS);
  }

  #tellPresence(): void {
    if (this.#presenceTimer) clearTimeout(this.#presenceTimer);
    this.#presenceTimer = null;
    this.#presenceToldAtMs = performance.now();
    this.#report({ kind: 'presence', presence: this.#presence() });
  }

  #presence(): Presence {
    const devices = [...this.#followers.values()].filter(({ isDevice }) => isDevice);
    const screens: Record<string, number> = {};
    for (const { screen } of devices)
      if (screen !== null) screens[screen] = (screens[screen] ?? 0) + 1;
    return {
      devices: devices.length,
      away: devices.filter(({ isAway }) => isAway).length,
      screens,
    };
  }
}
