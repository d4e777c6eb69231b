/**
 * What all parts of the compiler share: the input, and the two lists of steps that they add to.
 */
import { EngineError } from '../protocol/errdefs.ts';
import type { Linux, Process, RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import type { HostFacts } from './host-facts.ts';
import type { StageBuilder } from './plan/stage-builder.ts';

/** What `create` and `exec` have in common: a process with a user, limits and a program. */
export interface ProgramInput {
  readonly spec: RuntimeSpec;
  readonly facts: HostFacts;
  readonly id: string;
  /** Absolute path of the bundle. */
  readonly bundle: string;
  /** Which of 0, 1 and 2 belong to the container alone and may be given to its user: pipes, not the host's /dev/null. */
  readonly ownsStdio: readonly [boolean, boolean, boolean];
  /** How many descriptors more than 0, 1 and 2 the caller passes on to the program; the last that are handed in. */
  readonly preservedFds?: number;
  /** HOME where config.json's env has none. */
  readonly home: string;
}

/** Permissions of a folder of the image; null when it has no such folder. */
export type ImageModeOf = (path: string) => number | null;

export interface CreateInput extends ProgramInput {
  /** The root is moved over the host's instead of exchanged with it (`--no-pivot`). */
  readonly noPivot?: boolean;
  /** Host path of the FIFO that init waits on. */
  readonly execFifo: string;
  readonly imageModeOf: ImageModeOf;
  /** Stay in the caller's session keyring. */
  readonly keepSessionKeyring?: boolean;
}

export interface Compilation extends ProgramInput {
  readonly noPivot?: boolean;
  /** The program, where it is not the first of the arguments. */
  readonly executable?: string | undefined;
  readonly process: Process & { readonly args: readonly string[] };
  readonly linux: Linux;
  /** Absolute host path of the root filesystem. */
  readonly rootfs: string;
  /** Steps of runc itself. */
  readonly parent: StageBuilder;
  /** Steps of the child of the parent's clone3, the future PID 1. */
  readonly init: StageBuilder;
}

/** The names of slots: descriptors that one step leaves for a later one. */
export const SLOT = {
  /** Both ends of the line between runc and init. */
  syncRunc: 'line to init',
  syncInit: 'line to runc',
  init: 'pid of init',
  hooks: 'line to the caller',
  agent: 'line for the listener',
  initInProc: '/proc/init',
  idMap: 'id map',
  container: "pidfd of the container's init",
  cgroup: 'cgroup',
  deviceFilter: 'device filter',
  namespace: 'namespace',
  loopback: 'socket',
  execFifo: 'exec.fifo',
  parked: 'opened exec.fifo',
  rootfs: 'rootfs',
  /** The folder in which the next thing is made, and the place where the next thing is mounted. */
  folder: 'folder',
  target: 'target',
  consoleSocket: 'console socket',
  ptmx: 'pty master',
  pty: 'pty',
  /** The new tmpfs that gets what is in the folder below it. */
  copy: 'tmpfs',
  cwd: 'cwd',
  executable: 'executable',
  isDirectory: 'directory',
} as const;

/**
 * Descriptors that must survive the great closing after pivot_root get numbers out of the way:
 * everything from 5 up to them is closed in one call.
 */
export const FD = {
  firstHandedIn: 5,
  firstToClose: 5,
  syncInit: 60,
  execFifo: 61,
  initInProc: 62,
  gateOfInit: 63,
  agent: 64,
  /** Sources of bind mounts in a user namespace, then what the caller passes on: each is let go of by itself. */
  firstHeldSource: 70,
} as const;

/** An unsupported or senseless config.json: said by name, before anything is made. */
export const refuse = (sentence: string): never => {
  throw new EngineError('invalid_argument', sentence);
};
