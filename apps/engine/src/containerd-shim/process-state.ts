/**
 * The life of a container's process as a table: from each state, what may be done and where it leads.
 * Upstream has one Go type per state: containerd cmd/containerd-shim-runc-v2/process/init_state.go.
 */
import { EngineError } from '../protocol/errdefs.ts';
import { Status } from '../protocol/gen/containerd/process_pb.ts';

export type ProcessState = 'created' | 'running' | 'paused' | 'stopped' | 'deleted';
export type Verb = 'start' | 'exec' | 'pause' | 'resume' | 'exit' | 'delete';

const TRANSITIONS: Readonly<Record<ProcessState, Readonly<Partial<Record<Verb, ProcessState>>>>> = {
  created: { start: 'running', exec: 'created', exit: 'stopped' },
  running: { exec: 'running', pause: 'paused', exit: 'stopped' },
  paused: { resume: 'running', exit: 'stopped' },
  stopped: { delete: 'deleted' },
  deleted: {},
};

const STATUS: Readonly<Record<ProcessState, Status>> = {
  created: Status.CREATED,
  running: Status.RUNNING,
  paused: Status.PAUSED,
  stopped: Status.STOPPED,
  deleted: Status.STOPPED,
};

export const statusOfState = (state: ProcessState): Status => STATUS[state];

/** The state after the verb. Throws `failed_precondition` when the verb makes no sense now. */
export const transition = (state: ProcessState, verb: Verb): ProcessState => {
  const next = TRANSITIONS[state][verb];
  if (!next) throw new EngineError('failed_precondition', `cannot ${verb} a ${state} process`);
  return next;
};
