/**
 * `runc create`: from a bundle to a process that is parked in front of its program.
 * Upstream: runc create.go, libcontainer/container_linux.go.
 */
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { HostFacts } from './host-facts.ts';

export interface CreateOptions {
  readonly native: Native;
  readonly tracer: Tracer;
  /** Where runc keeps its state: `<root>/<id>/state.json` and `<root>/<id>/exec.fifo`. */
  readonly root: string;
  readonly id: string;
  /** Absolute path of the bundle; config.json is read from it, root.path is ready (mounted by the shim). */
  readonly bundle: string;
  /** What becomes 0, 1 and 2 of the container. With `process.terminal` only runc itself uses them: give /dev/null. */
  readonly stdio: readonly [number, number, number];
  /** A connected unix socket that gets the pty's master instead of the caller (`--console-socket`). */
  readonly consoleSocket?: number;
  /** Read from /proc when absent. */
  readonly facts?: HostFacts;
}

export interface CreatedContainer {
  /** The container's init in the host's pid namespace. It is the child of the nearest subreaper: reap it. */
  readonly pid: number;
  /** pidfd_open(2) of init. The caller owns and closes it. */
  readonly pidfd: number;
  /** Field 22 of /proc/<pid>/stat: with the pid it names the process for as long as the machine is up. */
  readonly startTime: string;
  /** The pty's master when `process.terminal` (and no consoleSocket). The caller owns and closes it. */
  readonly ptyMaster: number | null;
  /**
   * Resolves when the container's program runs: init's `execve` succeeded, after `startContainer`.
   * Rejects with what runc would say when a step after the start failed (the container then exits by itself).
   * A rejection that nobody awaits is no unhandled rejection.
   */
  readonly execed: Promise<void>;
}

/**
 * Resolves when init is parked on exec.fifo and runc has left.
 * Rejects with an EngineError whose message is the one that runc logs; nothing is left behind then.
 */
export const createContainer = (options: CreateOptions): Promise<CreatedContainer> =>
  Promise.reject(new EngineError('not_implemented', `create ${options.id}`));
