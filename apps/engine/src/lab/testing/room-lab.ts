/** Both doors of a lab without an engine, its rooms, and who comes in. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { PollQuestion, RoomOpened, RoomPlayhead } from '../../protocol/room/room.ts';
import { TraceStore } from '../collector/trace-store.ts';
import { GateKeeper } from '../gates/gate-keeper.ts';
import { GateService } from '../gates/gate-service.ts';
import { AudienceDoor } from '../gateway/audience-door.ts';
import { Gateway } from '../gateway/gateway.ts';
import type { Learner } from '../gateway/guard.ts';
import type { RoomService, RoomServiceOptions } from '../rooms/room-service.ts';
import { DeskScreen, FollowerScreen } from './room-screens.ts';
import { A_STATUS, testRooms } from './rooms.ts';

export const TOKEN = 'the-token';
export const OTHER = 'c'.repeat(32);

export class RoomLab {
  readonly folder: string;
  readonly store: TraceStore;
  /** Commands that the audience had run. */
  readonly ran: string[] = [];
  /** Who has asked the lab for a run. */
  readonly learners: Learner[] = [];
  /** What the engine answers when it is asked who was right. */
  observed: readonly boolean[] = [];
  base = '';
  outside = '';
  readonly #options: Partial<RoomServiceOptions>;
  #rooms: RoomService | null = null;
  #gateway: Gateway | null = null;
  #door: AudienceDoor | null = null;

  readonly #requestTimeoutMs: number | undefined;

  private constructor(options: Partial<RoomServiceOptions>, requestTimeoutMs?: number) {
    this.#options = options;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.folder = mkdtempSync(join(tmpdir(), 'lab-rooms-'));
    this.store = new TraceStore({ directory: join(this.folder, 'traces'), isAlive: () => true });
  }

  static async start(
    options: Partial<RoomServiceOptions> = {},
    requestTimeoutMs?: number,
  ): Promise<RoomLab> {
    const lab = new RoomLab(options, requestTimeoutMs);
    await lab.store.load();
    await lab.start();
    return lab;
  }

  async start(): Promise<void> {
    const { folder, store } = this;
    const rooms = testRooms(folder, store, {
      run: (command) => {
        this.ran.push(command);
        return Promise.resolve({ traceId: OTHER, pid: 1, argv: [], injected: [] });
      },
      check: () =>
        Promise.resolve({
          observations: this.observed.map((holds) => ({
            holds,
            observed: 'x',
            wanted: 'x',
            why: null,
          })),
        }),
      ...this.#options,
    });
    const place = {
      host: '127.0.0.1',
      port: 0,
      webRoot: folder,
      rooms,
      requestTimeoutMs: this.#requestTimeoutMs,
    };
    const gateway = new Gateway({
      ...place,
      token: TOKEN,
      backend: {
        store,
        engine: () => A_STATUS,
        run: (_command, learner) => {
          this.learners.push(learner);
          return Promise.resolve({ status: 503, message: '' });
        },
        check: () => Promise.resolve({ observations: [] }),
        stop: () => Promise.resolve(false),
        fault: () => Promise.resolve({ status: 409, message: '' }),
        gates: new GateService(new GateKeeper({ folder }), () => false),
      },
    });
    const door = new AudienceDoor({ ...place, publicUrl: null });
    this.base = `http://127.0.0.1:${await gateway.listen()}`;
    this.outside = `http://127.0.0.1:${await door.listen()}`;
    this.#rooms = rooms;
    this.#gateway = gateway;
    this.#door = door;
  }

  /** As a lab that ends: what is on disk stays. */
  async stop(): Promise<void> {
    this.#rooms?.close();
    await this.#gateway?.close();
    await this.#door?.close();
  }

  async end(): Promise<void> {
    await this.stop();
    await this.store.close();
    rmSync(this.folder, { recursive: true });
  }

  ask(path: string, options: RequestInit = {}, at = this.base): Promise<Response> {
    return fetch(`${at}/api${path}`, {
      ...options,
      headers: {
        Authorization: `Bearer ${TOKEN}`,
        'Content-Type': 'application/json',
        ...(options.headers as Record<string, string> | undefined),
      },
    });
  }

  async openRoom(): Promise<RoomOpened> {
    const response = await this.ask('/rooms', { method: 'POST', body: '{"presenter":"Ada"}' });
    expect(response.status).toBe(201);
    return (await response.json()) as RoomOpened;
  }

  async presenter({ code, driver }: RoomOpened): Promise<DeskScreen> {
    const desk = await DeskScreen.open(this.base, code, TOKEN);
    desk.say({ type: 'sit', name: 'Ada', driver });
    await desk.until(() => expect(desk.last('wheel')).toBeDefined());
    return desk;
  }

  async follower(code: string, device?: string): Promise<FollowerScreen> {
    const screen = await FollowerScreen.open(this.outside, code);
    screen.say({ type: 'resume', have: {} });
    screen.say({ type: 'join', as: 'device', ...(device === undefined ? {} : { device }) });
    await screen.until(() => expect(screen.last('you')).toBeDefined());
    return screen;
  }
}

export const at = (traceId: string | null, changes: Partial<RoomPlayhead> = {}): RoomPlayhead => ({
  traceId,
  realNs: 5,
  step: 1,
  isResting: true,
  level: 'step',
  pace: 'learn',
  isPlaying: false,
  stopAt: null,
  ...changes,
});

/** The answers that the engine's observations stand for, in their order. */
export const question = (truths: readonly string[]): PollQuestion => ({
  id: 'q1',
  ask: 'Who is the parent?',
  options: [
    { id: 'shim', say: 'the shim' },
    { id: 'dockerd', say: 'dockerd' },
  ],
  truth: {
    kind: 'choice',
    rules: truths.map((is) => ({
      when: { fact: 'container.exists', of: 'container a', equals: true },
      is,
    })),
  },
  runs: {},
});
