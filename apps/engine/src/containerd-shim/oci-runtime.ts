/** What a shim asks of an OCI runtime: our own (runc-command.ts), or any other on this machine (foreign-runtime.ts). */
import type { ExecutedProcess } from '../libcontainer/exec-container.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import type { LinuxResources, Process, RuntimeSpec } from '../protocol/oci/runtime-spec.ts';

export interface RuntimeCreate {
  /** Where the runtime keeps its state. */
  readonly root: string;
  readonly id: string;
  readonly bundle: string;
  /** Its config.json as it was read; undefined where it could not be. */
  readonly spec: RuntimeSpec | undefined;
  /** What becomes 0, 1 and 2 of the container; with a terminal only the runtime itself uses them. */
  readonly stdio: readonly [number, number, number];
  readonly terminal: boolean;
}

export interface RuntimeExec {
  readonly root: string;
  readonly id: string;
  readonly bundle: string;
  readonly process: Process;
  readonly stdio: readonly [number, number, number];
}

export interface RuntimeUpdate {
  readonly root: string;
  readonly id: string;
  readonly bundle: string;
  readonly resources: LinuxResources;
}

/** A process that is our child now. The caller owns pidfd and terminal. */
export type BornProcess = Pick<ExecutedProcess, 'pid' | 'pidfd' | 'ptyMaster'>;

export interface OciRuntime {
  /** Resolves when the container's first process waits for its start. Nothing is left behind when it rejects. */
  create(options: RuntimeCreate): Promise<BornProcess>;
  start(container: {
    readonly root: string;
    readonly id: string;
    readonly bundle: string;
    readonly pid: number;
    readonly argv: readonly string[];
  }): Promise<void>;
  /** Resolves when the program runs. It may have exited already. */
  exec(options: RuntimeExec): Promise<BornProcess>;
  /** New limits; what is not named stays as it is. */
  update(options: RuntimeUpdate): Promise<void>;
  /** What is not there is deleted. */
  delete(
    container: { readonly root: string; readonly id: string; readonly bundle: string },
    force: boolean,
  ): Promise<void>;
}

/** `OCI runtime create failed: runc create failed: unable to start container process: exec: …` */
const withWords =
  (words: string) =>
  (error: unknown): never => {
    throw new EngineError('unknown', `${words}: ${messageOf(error)}`, { cause: error });
  };

/** The same runtime, whose errors say what a client of the shim expects to read. */
export const inShimsWords = (runtime: OciRuntime): OciRuntime => ({
  create: (options) => runtime.create(options).catch(withWords('OCI runtime create failed')),
  start: (container) => runtime.start(container).catch(withWords('OCI runtime start failed')),
  exec: (options) => runtime.exec(options).catch(withWords('OCI runtime exec failed')),
  update: (options) => runtime.update(options),
  delete: (container, force) => runtime.delete(container, force),
});
