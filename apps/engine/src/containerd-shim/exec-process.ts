/**
 * A process that joins a running container, as `docker exec` wants it: announced by Exec, run by Start, its exit code
 * kept until Delete collects it.
 * Upstream: containerd cmd/containerd-shim-runc-v2/process/exec.go, exec_state.go.
 */
import { timestampNow } from '@bufbuild/protobuf/wkt';
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';
import type { Status } from '../protocol/gen/containerd/process_pb.ts';
import type { Process } from '../protocol/oci/runtime-spec.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { ContainerStory } from './container-story.ts';
import type { Exit } from './init-process.ts';
import { statusOfState, transition, type ProcessState } from './process-state.ts';
import type { OciRuntime } from './oci-runtime.ts';
import type { Reaper } from './reaper.ts';
import { ContainerStdio, type StdioOwner, type StdioPaths } from './stdio.ts';

export interface ExecProcessOptions {
  readonly native: Native;
  readonly tracer: Tracer;
  readonly owner: StdioOwner;
  readonly runtime: OciRuntime;
  readonly reaper: Reaper;
  /** Where the runtime finds it. */
  readonly container: { readonly root: string; readonly id: string; readonly bundle: string };
  readonly execId: string;
  readonly spec: Process;
  readonly paths: StdioPaths;
  /** Called once, as soon as the exit of a process that ran is known. */
  readonly onExit: (process: ExecProcess, exit: Exit) => void;
}

/** What is said of a process that never ran. */
const NEVER_RAN = 255;

export class ExecProcess {
  readonly execId: string;
  readonly paths: StdioPaths;
  /** Resolves when the process has exited, or could not be run. */
  readonly exited: Promise<Exit>;
  readonly #options: ExecProcessOptions;
  #resolveExited: (exit: Exit) => void = () => undefined;
  #stdio: ContainerStdio | undefined;
  #story: ContainerStory | undefined;
  #killFd: number | undefined;
  #pid = 0;
  #state: ProcessState = 'created';
  #exit: Exit | undefined;

  constructor(options: ExecProcessOptions) {
    this.execId = options.execId;
    this.paths = options.paths;
    this.#options = options;
    this.exited = new Promise((resolve) => (this.#resolveExited = resolve));
  }

  /** 0 until it runs. */
  get pid(): number {
    return this.#pid;
  }

  get status(): Status {
    return statusOfState(this.#state);
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** The trace of the request that ran it. */
  get story(): ContainerStory | undefined {
    return this.#story;
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Postcondition: the program runs, or has run; or nothing of it is left and its code is 255. */
  async start(): Promise<void> {
    const { native, tracer, runtime, reaper, container, spec } = this.#options;
    const next = transition(this.#state, 'start');
    const story = new ContainerStory(tracer, { containerId: container.id, argv: spec.args ?? [] });
    // It becomes our child before we know its pid, and may have exited by then.
    const release = reaper.hold();
    let stdio: ContainerStdio | undefined;
    try {
      stdio = new ContainerStdio(native, this.paths, this.#options.owner);
      await stdio.ready();
      const { pid, pidfd, ptyMaster } = await runtime.exec({
        ...container,
        process: spec,
        stdio: stdio.containerFds,
      });
      this.#pid = pid;
      this.#state = next;
      this.#stdio = stdio;
      this.#story = story;
      // The reaper takes the first pidfd and closes it at the exit; signals need one that stays.
      this.#killFd = native.pidfdOpen(pid);
      story.started(pid);
      reaper.wait(pid, pidfd, ({ code, signal }) =>
        this.#exited({ code, signal, at: timestampNow() }),
      );
      stdio.start(ptyMaster);
    } catch (error) {
      if (!this.#stdio) stdio?.abandon();
      this.#exit = { code: NEVER_RAN, signal: 0, at: timestampNow() };
      this.#state = 'stopped';
      this.#resolveExited(this.#exit);
      throw error;
    } finally {
      release();
    }
  }

  kill(signal: number): void {
    if (this.#exit) throw new EngineError('not_found', 'process already finished');
    if (this.#killFd === undefined)
      throw new EngineError('failed_precondition', 'process not created');
    this.#story?.signalled(this.#pid, signal);
    this.#options.native.pidfdSendSignal(this.#killFd, signal);
  }

  closeStdin(): void {
    this.#stdio?.closeStdin();
  }

  resize(rows: number, columns: number): void {
    this.#stdio?.resize(rows, columns);
  }

  /** All of its output is in the FIFOs. */
  async drained(): Promise<void> {
    await this.#stdio?.drained();
  }

  /** Throws while it runs. What was only announced may be taken back. */
  checkDelete(): void {
    if (this.#state !== 'created') transition(this.#state, 'delete');
  }

  /** The exit code was collected, or the whole container goes. */
  release(): void {
    this.#state = 'deleted';
    this.#stdio?.close();
    if (this.#killFd !== undefined) this.#options.native.close(this.#killFd);
    this.#killFd = undefined;
  }

  #exited(exit: Exit): void {
    this.#exit = exit;
    if (this.#state === 'running') this.#state = transition(this.#state, 'exit');
    this.#stdio?.stopInput();
    this.#options.onExit(this, exit);
    this.#resolveExited(exit);
  }
}
