/**
 * One supervised daemon. It is started in a session of its own with its output in a file, so that neither a Ctrl-C in
 * the lab's terminal nor the lab's death touches it; a later lab finds it by its record and goes on watching.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { messageOf } from '../../protocol/errdefs.ts';
import { isAlive, processInfo } from '../process-info.ts';
import { findLiving, removeRecord, writeRecord, type ProcessRecord } from './process-record.ts';
import { socketReady } from './socket-ready.ts';

export type DaemonState = 'starting' | 'running' | 'dead';

export interface DaemonSpec {
  readonly actor: 'dockerd' | 'containerd';
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly socketPath: string;
  readonly pidfile: string;
  readonly recordPath: string;
  readonly logPath: string;
}

export interface DaemonExit {
  /** Shell style; null when it was another lab's child, whose exit code only its parent gets. */
  readonly code: number | null;
  readonly signal: string | null;
}

export interface DaemonEvents {
  born(daemon: Daemon, process: ProcessRecord): void;
  adopted(daemon: Daemon, process: ProcessRecord): void;
  changed(daemon: Daemon): void;
  died(daemon: Daemon, process: ProcessRecord, exit: DaemonExit): void;
}

/** Calls back once when the process is gone; returns how to stop watching. pidfd_open(2) */
export type WatchExit = (pid: number, onExit: () => void) => () => void;

const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 5_000;
/** Who lives so long has started well. */
const HEALTHY_AFTER_MS = 10_000;
const STOP_PATIENCE_MS = 20_000;

export class Daemon {
  readonly spec: DaemonSpec;
  readonly #events: DaemonEvents;
  readonly #watchExit: WatchExit;
  #state: DaemonState = 'dead';
  #process: ProcessRecord | null = null;
  #wanted = false;
  #backoffMs = FIRST_BACKOFF_MS;
  #bornAtMs = 0;
  #restart: NodeJS.Timeout | null = null;
  #giveUp = new AbortController();
  #exitWaiters: (() => void)[] = [];
  #runningWaiters: (() => void)[] = [];

  constructor(spec: DaemonSpec, events: DaemonEvents, watchExit: WatchExit) {
    this.spec = spec;
    this.#events = events;
    this.#watchExit = watchExit;
  }

  get state(): DaemonState {
    return this.#state;
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  get process(): ProcessRecord | null {
    return this.#process;
  }

  /** Adopts a living one or starts it. Resolves true when its socket answers, false when it died instead. */
  async start(): Promise<boolean> {
    this.#wanted = true;
    const living = findLiving({ ...this.spec, mark: this.spec.socketPath });
    if (living) this.#adopt(living);
    else this.#spawn();
    return this.#becomeReady();
  }

  /** SIGTERM, and SIGKILL when that is not enough. Resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#wanted = false;
    if (this.#restart) clearTimeout(this.#restart);
    this.#giveUp.abort();
    const living = this.#process;
    if (!living) return;
    const gone = this.exited();
    signalProcess(living, 'SIGTERM');
    const impatience = setTimeout(() => signalProcess(living, 'SIGKILL'), STOP_PATIENCE_MS);
    await gone;
    clearTimeout(impatience);
    removeRecord(this.spec.recordPath);
  }

  /** Resolves when the present process (or else that one) is gone. */
  exited(which: ProcessRecord | null = this.#process): Promise<void> {
    return this.#process && this.#process === which
      ? new Promise((resolve) => this.#exitWaiters.push(resolve))
      : Promise.resolve();
  }

  /** Resolves when its socket answers. */
  running(): Promise<void> {
    return this.#state === 'running'
      ? Promise.resolve()
      : new Promise((resolve) => this.#runningWaiters.push(resolve));
  }

  /** It dies now because somebody wants it to: that is no sign of illness, and no reason to wait with the next. */
  forgive(): void {
    this.#backoffMs = FIRST_BACKOFF_MS;
  }

  /** What it last wrote, for a person who asks why it does not start. */
  lastWords(): string {
    try {
      const lines = readFileSync(this.spec.logPath, 'utf8').trimEnd().split('\n');
      return lines.at(-1) ?? '';
    } catch {
      return '';
    }
  }

  #adopt(living: ProcessRecord): void {
    this.#take(living);
    writeRecord(this.spec.recordPath, living);
    this.#watchExit(living.pid, () => this.#onExit(living, { code: null, signal: null }));
    this.#events.adopted(this, living);
  }

  #spawn(): void {
    const log = openSync(this.spec.logPath, 'a', 0o600);
    const child = spawn(this.spec.file, [...this.spec.argv], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...this.spec.env },
      cwd: '/',
    });
    closeSync(log);
    const { pid } = child;
    const startTime = pid === undefined ? undefined : processInfo(pid)?.startTime;
    if (pid === undefined || startTime === undefined) {
      child.once('error', (error) => {
        console.error(`lab: ${this.spec.file}: ${error.message}`);
        this.#setState('dead');
        this.#restartLater();
      });
      return;
    }
    const born = { pid, startTime };
    this.#take(born);
    writeRecord(this.spec.recordPath, born);
    child.unref();
    child.once('exit', (code, signal) => this.#onExit(born, { code, signal }));
    this.#events.born(this, born);
  }

  #take(process: ProcessRecord): void {
    this.#process = process;
    this.#bornAtMs = Date.now();
    this.#giveUp = new AbortController();
    this.#setState('starting');
  }

  async #becomeReady(): Promise<boolean> {
    const mine = this.#process;
    if (!mine) return false;
    const isReady = await socketReady(this.spec.socketPath, this.#giveUp.signal);
    if (isReady && this.#process === mine) this.#setState('running');
    return isReady;
  }

  #onExit(process: ProcessRecord, exit: DaemonExit): void {
    if (this.#process !== process) return;
    this.#process = null;
    this.#giveUp.abort();
    if (Date.now() - this.#bornAtMs > HEALTHY_AFTER_MS) this.#backoffMs = FIRST_BACKOFF_MS;
    this.#events.died(this, process, exit);
    this.#setState('dead');
    const waiters = this.#exitWaiters;
    this.#exitWaiters = [];
    for (const resolve of waiters) resolve();
    this.#restartLater();
  }

  #restartLater(): void {
    if (!this.#wanted) return;
    const delay = this.#backoffMs;
    this.#backoffMs = Math.min(LAST_BACKOFF_MS, delay * 2);
    this.#restart = setTimeout(() => {
      this.start().catch((error: unknown) => {
        // Such as a full disk, which may have room again next time.
        console.error(`lab: ${this.spec.actor} cannot be started: ${messageOf(error)}`);
        this.#restartLater();
      });
    }, delay);
  }

  #setState(state: DaemonState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#events.changed(this);
    if (state !== 'running') return;
    const waiters = this.#runningWaiters;
    this.#runningWaiters = [];
    for (const resolve of waiters) resolve();
  }
}

const signalProcess = ({ pid, startTime }: ProcessRecord, signal: NodeJS.Signals): void => {
  if (!isAlive(pid, startTime)) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It went between the question and the signal.
  }
};
