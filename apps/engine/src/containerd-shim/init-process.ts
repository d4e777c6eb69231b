/**
 * The container's first process, from `runc create` to the moment when its exit code was collected.
 * Upstream: containerd cmd/containerd-shim-runc-v2/process/init.go.
 */
import { timestampNow, type Timestamp } from '@bufbuild/protobuf/wkt';
import { constants } from 'node:os';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExitStatus, Native } from '../../../../native/native.ts';
import type { BornProcess } from './oci-runtime.ts';
import { EngineError } from '../protocol/errdefs.ts';
import type { Status } from '../protocol/gen/containerd/process_pb.ts';
import type { ContainerCgroup } from './container-cgroup.ts';
import { statusOfState, transition, type ProcessState } from './process-state.ts';
import type { Reaper } from './reaper.ts';
import type { ContainerStdio, StdioPaths } from './stdio.ts';

export interface Exit {
  readonly code: number;
  readonly signal: number;
  readonly at: Timestamp;
}

export interface InitProcessOptions {
  readonly native: Native;
  readonly reaper: Reaper;
  readonly bundle: string;
  readonly paths: StdioPaths;
  readonly stdio: ContainerStdio;
  readonly created: BornProcess;
  readonly cgroup: ContainerCgroup;
  /** The process has exited, and stays a zombie until this resolves. */
  readonly beforeReaping: () => Promise<void>;
  /** Called once, as soon as the exit is known. */
  readonly onExit: (exit: Exit) => void;
}

const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);
export const signalName = (signal: number): string => SIGNAL_NAMES.get(signal) ?? `SIG${signal}`;

export class InitProcess {
  readonly pid: number;
  readonly bundle: string;
  readonly paths: StdioPaths;
  readonly cgroup: ContainerCgroup;
  /** Resolves when the process has exited. */
  readonly exited: Promise<Exit>;
  readonly #native: Native;
  readonly #stdio: ContainerStdio;
  readonly #killFd: number;
  #state: ProcessState = 'created';
  #exit: Exit | undefined;

  constructor(options: InitProcessOptions) {
    const { native, reaper, created, bundle, stdio, paths, onExit, beforeReaping } = options;
    this.pid = created.pid;
    this.bundle = bundle;
    this.paths = paths;
    this.#native = native;
    this.#stdio = stdio;
    this.cgroup = options.cgroup;
    // The reaper takes the first pidfd and closes it at the exit; signals need one that stays.
    this.#killFd = native.pidfdOpen(created.pid);
    this.exited = new Promise((resolve) => {
      const collected = (status: ExitStatus): void => {
        const exit = { code: status.code, signal: status.signal, at: timestampNow() };
        this.#exit = exit;
        this.#state = transition(this.#state, 'exit');
        stdio.stopInput();
        onExit(exit);
        resolve(exit);
      };
      reaper.wait(created.pid, created.pidfd, collected, beforeReaping);
    });
    stdio.start(created.ptyMaster);
    writeFileSync(join(bundle, 'init.pid'), String(created.pid));
  }

  get state(): ProcessState {
    return this.#state;
  }

  get status(): Status {
    return statusOfState(this.#state);
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Throws unless the verb makes sense in the present state. */
  check(verb: 'start' | 'exec' | 'pause' | 'resume' | 'delete'): void {
    transition(this.#state, verb);
  }

  /** runc has let it go. It may have exited since. */
  markStarted(): void {
    if (this.#state === 'created') this.#state = transition(this.#state, 'start');
  }

  async pause(): Promise<void> {
    this.check('pause');
    await this.cgroup.setFrozen(true);
    this.#state = transition(this.#state, 'pause');
  }

  async resume(): Promise<void> {
    this.check('resume');
    await this.cgroup.setFrozen(false);
    this.#state = transition(this.#state, 'resume');
  }

  /** Signals the process or, with `all`, everything in its cgroup. */
  kill(signal: number, all: boolean): void {
    if (this.#exit && !all) throw new EngineError('not_found', 'process already finished');
    if (!this.#exit) this.#native.pidfdSendSignal(this.#killFd, signal);
    if (all) for (const pid of this.cgroup.pids()) if (pid !== this.pid) signalPid(pid, signal);
  }

  closeStdin(): void {
    this.#stdio.closeStdin();
  }

  /** Without a terminal there is nothing to do, and upstream's shim says nothing. */
  resize(rows: number, columns: number): void {
    this.#stdio.resize(rows, columns);
  }

  /** All of its output is in the FIFOs. */
  drained(): Promise<void> {
    return this.#stdio.drained();
  }

  /** The exit code was collected. */
  release(): void {
    this.#state = transition(this.#state, 'delete');
    this.#stdio.close();
    this.#native.close(this.#killFd);
  }
}

/** It may have gone meanwhile. */
const signalPid = (pid: number, signal: number): void => {
  try {
    process.kill(pid, signal);
  } catch {
    return;
  }
};

/** The pid that an earlier shim wrote into the bundle; 0 when it came to none. */
export const readInitPid = (bundle: string): number => {
  try {
    return Number(readFileSync(join(bundle, 'init.pid'), 'utf8').trim()) || 0;
  } catch {
    return 0;
  }
};
