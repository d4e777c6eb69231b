/**
 * A plan is what runc does, written down before it is done: an ordered list of system calls for two processes.
 *
 * TypeScript writes the plan (the compiler beside this file), the native helper `runc` executes it step by step and
 * writes one record per step. The helper knows nothing of containers: a step is a system call number with arguments,
 * one open-write-close of a file, or a copy of a folder. There are no jumps, and that copy is the only loop: nobody knows
 * what is in the folder before the mounts above it are made. The compiler unrolls all else.
 *
 *   parent   runs in runc itself: cgroups, clone3, waits until init is ready, leaves.
 *   init     runs in the child of the parent's `clone3`: the future PID 1 of the container, up to `execve`.
 *
 * Binary form: `encode.ts` here, `native/src/plan.h` there.
 */
import type { Level, SyscallEvent } from '../../protocol/trace/event.ts';

/** A named place for a file descriptor (or another result) that a later step needs. At most 32 a plan. */
export type Slot = string;

export type Argument =
  /** A number as it is. */
  | { readonly kind: 'number'; readonly value: bigint | number }
  /** The value in a slot. */
  | { readonly kind: 'slot'; readonly slot: Slot }
  /** A pointer to bytes in the plan (writable by the helper's private copy: also good for results). */
  | { readonly kind: 'bytes'; readonly data: Blob }
  /** A pointer to the string `/proc/self/fd/<slot>`, for calls that want a path. */
  | { readonly kind: 'fdPath'; readonly slot: Slot }
  /** A pointer to the slot itself and its successor: `pipe2`, `socketpair`. Both slots are filled. */
  | { readonly kind: 'slotPair'; readonly first: Slot; readonly second: Slot };

/** Bytes with places to patch: a pointer to other bytes, or a 32-bit value out of a slot (SCM_RIGHTS). */
export interface Blob {
  readonly bytes: Uint8Array;
  readonly patches?: readonly (
    | { readonly offset: number; readonly pointerTo: Blob }
    | { readonly offset: number; readonly slot: Slot }
  )[];
}

/** Run the step only if … Guards are no jumps: a step that is not run simply leaves no record. */
export type Guard =
  /** … the slot has not been filled by an earlier step (the first that succeeds wins). */
  | { readonly kind: 'unlessFilled'; readonly slot: Slot }
  /** … the slot has been filled. */
  | { readonly kind: 'ifFilled'; readonly slot: Slot }
  /** … the step just before this one (in the list) was run and failed with this errno: the one alternative. */
  | { readonly kind: 'ifPreviousFailedWith'; readonly errno: number };

interface StepBase {
  /** System call name as in the man page. */
  readonly name: string;
  readonly title: string;
  readonly detail: string;
  readonly object: SyscallEvent['object'];
  readonly level: Level;
  /** Write `__SOURCE__`. */
  readonly source: string;
  readonly reference: string;
  readonly attributes?: SyscallEvent['attributes'];
  /** Default: any error ends the plan. Otherwise these errno values are recorded and passed over (at most 4). */
  readonly ignore?: readonly number[];
  readonly guard?: Guard;
  /** Keep the result in this slot (only when the call succeeded). */
  readonly resultSlot?: Slot;
  /** The exact result that counts as success: a `read` that returns 0 because the other side died is a failure. */
  readonly expect?: number;
  /** What failed, for the error message: `mount`, `lookup executable`, `execve` … (see `runc/error-message.ts`). */
  readonly purpose?: string;
}

export interface SyscallStep extends StepBase {
  readonly kind: 'syscall';
  /** Number for the machine's architecture: `syscall-numbers.ts`. */
  readonly number: number;
  readonly arguments: readonly Argument[];
  /** True for the one `clone3` of the parent: in the child, execution goes on with `init`. */
  readonly forksInit?: boolean;
}

/** open(path, flags), write(data), close: one file of the kernel's, such as memory.max. */
export interface WriteFileStep extends StepBase {
  readonly kind: 'writeFile';
  /** Path on the host. */
  readonly path: string;
  readonly data: string;
}

/**
 * What is in one folder becomes the contents of another one. Its record stands for the getdents64 of the folder with all
 * that follows from it; the result is the number of entries. native/src/helper/copy_tree.c
 */
export interface CopyTreeStep extends StepBase {
  readonly kind: 'copyTree';
  readonly from: Slot;
  readonly to: Slot;
}

export type Step = SyscallStep | WriteFileStep | CopyTreeStep;

export interface Plan {
  readonly parent: readonly Step[];
  readonly init: readonly Step[];
  /** Slots that are filled before the first step: descriptors that the spawner hands in (3, 4, 5 …). */
  readonly preset: Readonly<Record<Slot, number>>;
  /** Where the helper keeps its record pipe, when 4 is wanted for the program. */
  readonly recordFd?: number;
}

/** What the helper writes for each step that it ran. */
export interface StepRecord {
  readonly stage: 'parent' | 'init';
  readonly index: number;
  /** CLOCK_MONOTONIC, nanoseconds. */
  readonly beginMono: bigint;
  readonly endMono: bigint;
  readonly result: bigint;
  /** 0, or the errno. */
  readonly errno: number;
  /** The pid of the process that ran the step, in its own pid namespace (init is 1 there). */
  readonly pid: number;
}
