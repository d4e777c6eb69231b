/**
 * Gates: places on the road of a command at which it can be held, looked at, and let go on. A breakpoint in the real
 * system: what is held is a request that waits, a process that blocks in read(2), a zombie that nobody collects.
 *
 *   holder → lab   {"traceId", "gate", "actor", "pid", "subjectPid"}
 *   lab → holder   {"held": true}                 at once
 *   lab → holder   {"released": "continue"}       later; or at once, when the gate is not set
 *
 * JSON lines over the lab's gate socket. A connection that ends without a word is a release: no lab, no gate.
 */
import type { Actor } from './event.ts';

/** Between the steps of the daemons. Each holds once. */
export const DAEMON_GATES = {
  'request-accepted': { actor: 'dockerd', words: 'request accepted, nothing done yet' },
  'shim-listening': { actor: 'containerd', words: 'shim listening, no container yet' },
  'rootfs-mounted': { actor: 'shim', words: 'root filesystem mounted, no process yet' },
  'created-not-started': { actor: 'shim', words: 'container created, not started' },
  'exited-not-reaped': { actor: 'shim', words: 'container exited, not reaped' },
} as const satisfies Readonly<Record<string, { readonly actor: Actor; readonly words: string }>>;

export type DaemonGate = keyof typeof DAEMON_GATES;

/** Before a step of a plan: `runc/clone3`, `init/pivot_root`, `init/mount#3` (the third). */
export interface StepGate {
  readonly stage: 'parent' | 'init';
  /** Name of the system call. */
  readonly call: string;
  /** Counted from 1. */
  readonly occurrence: number;
}

const STEP_GATE = /^(runc|init)\/([a-z][a-z0-9_]{0,31})(?:#([1-9]\d{0,2}))?$/;

/** Null for what is no such gate. */
export const parseStepGate = (gate: string): StepGate | null => {
  const [, process, call, occurrence] = STEP_GATE.exec(gate) ?? [];
  if (process === undefined || call === undefined) return null;
  return {
    stage: process === 'runc' ? 'parent' : 'init',
    call,
    occurrence: Number(occurrence ?? 1),
  };
};

export const isGate = (gate: string): boolean =>
  Object.hasOwn(DAEMON_GATES, gate) || parseStepGate(gate) !== null;

/** At most so many at once in a trace. */
export const GATES_A_TRACE = 8;

export interface GateRequest {
  readonly traceId: string;
  readonly gate: string;
  /** Who waits. */
  readonly actor: Actor;
  readonly pid: number;
  /** The process that is worth looking at meanwhile, in the host's pid namespace. */
  readonly subjectPid: number;
}

/** Why what was held goes on. */
export type ReleaseReason =
  | 'continue'
  | 'time limit'
  | 'client is gone'
  | 'process is gone'
  | 'run was stopped'
  | 'lab is gone'
  | 'not set';

export type GateAnswer = { readonly held: true } | { readonly released: ReleaseReason };

/** Names of the two events (`spanEvent`) in which the holder tells of it. */
export const HELD_EVENT = 'held at a gate';
export const RELEASED_EVENT = 'released from a gate';

/** The environment's name for the folder in which the lab says what is to be held. */
export const GATES_VARIABLE = 'ENGINE_ROOM_GATES';
/** In that folder: the lab's socket; a file named after each trace with its gates, one a line; and, while a client is
 * being born whose trace has no name yet, an empty file: whoever sees it asks. */
export const GATE_SOCKET = 'lab.sock';
export const GATE_NEXT = 'next';
