/**
 * What runc remembers of a container between its verbs: `<root>/<id>/state.json`, which each of them reads, and
 * `config.json`, which `exec`, `update` and hooks ask for; beside exec.fifo.
 * OCI runtime.md#state. Upstream: runc libcontainer/state_linux.go, container_linux.go (saveState).
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { EngineError } from '../protocol/errdefs.ts';
import { RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import type { Status } from '../protocol/oci/state.ts';
import { isFrozen } from './cgroups/freezer.ts';

const StateFile = z.object({
  ociVersion: z.string(),
  id: z.string(),
  /** init in the host's pid namespace; with its start time it cannot be mistaken for a later process. */
  pid: z.number().int().positive(),
  startTime: z.string(),
  bundle: z.string(),
  rootfs: z.string(),
  created: z.string(),
  annotations: z.record(z.string(), z.string()),
  /** `memory` → /sys/fs/cgroup/memory/engine-room/4f2a… */
  cgroupPaths: z.record(z.string(), z.string()),
  hasHooks: z.boolean(),
});
export type StateFile = z.infer<typeof StateFile>;

/** The file, and what is true right now. */
export interface ContainerState extends StateFile {
  readonly status: Status;
}

const STATE = 'state.json';
const CONFIG = 'config.json';

/** As runc: letters, digits and a few signs, so that an id can be a folder's name. */
export const checkId = (id: string): void => {
  if (!/^[A-Za-z0-9_+.-]+$/.test(id) || id === '.' || id === '..' || id.length > 1024) {
    throw new EngineError('invalid_argument', 'invalid container ID format');
  }
};

export const stateFolder = (root: string, id: string): string => {
  checkId(id);
  return join(root, id);
};
export const execFifoPath = (root: string, id: string): string =>
  join(stateFolder(root, id), 'exec.fifo');

// All of it without the event loop: these files lie in memory (/run), where a system call is over before another thread
// would have been woken for it.

/** Only one create of an id can win. */
export const makeStateFolder = (root: string, id: string): void => {
  const folder = stateFolder(root, id);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  try {
    mkdirSync(folder, { mode: 0o711 });
  } catch (error) {
    if (isCode(error, 'EEXIST'))
      throw new EngineError('already_exists', 'container with given ID already exists', {
        cause: error,
      });
    throw error;
  }
};

export const removeStateFolder = (root: string, id: string): void => {
  const folder = stateFolder(root, id);
  try {
    unlinkSync(join(folder, STATE));
    unlinkSync(join(folder, CONFIG));
    rmdirSync(folder);
  } catch {
    // What a create that was interrupted has left, or nothing.
    rmSync(folder, { recursive: true, force: true });
  }
};

export const writeState = (root: string, state: StateFile): void => {
  writeWhole(join(stateFolder(root, state.id), STATE), state);
};

/** config.json as it was at the create (or after an update): what the bundle says later changes nothing. */
export const writeSpec = (root: string, id: string, spec: RuntimeSpec): void => {
  writeWhole(join(stateFolder(root, id), CONFIG), spec);
};

/** Whole or not at all: a reader never sees half of it. No fsync: what it tells of does not outlive the machine either. */
const writeWhole = (path: string, value: unknown): void => {
  writeFileSync(`${path}.new`, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
};

export const readState = (root: string, id: string): ContainerState => {
  const state = StateFile.parse(read(join(stateFolder(root, id), STATE)));
  return { ...state, status: statusOf(root, state) };
};

export const readSpec = (root: string, id: string): RuntimeSpec =>
  RuntimeSpec.parse(read(join(stateFolder(root, id), CONFIG)));

const read = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (isCode(error, 'ENOENT'))
      throw new EngineError('not_found', 'container does not exist', { cause: error });
    throw error;
  }
};

/** Not remembered but asked: the process lives, the gate is still there, the freezer holds it. */
const statusOf = (root: string, state: StateFile): Status => {
  const process = readProcess(state.pid);
  if (!process || process.startTime !== state.startTime || 'ZX'.includes(process.state))
    return 'stopped';
  if (isFrozen(state.cgroupPaths)) return 'paused';
  return existsSync(execFifoPath(root, state.id)) ? 'created' : 'running';
};

export interface ProcessFacts {
  /** `S`, `R`, `Z` … */
  readonly state: string;
  readonly ppid: number;
  /** Clock ticks since boot. */
  readonly startTime: string;
}

/** proc_pid_stat(5); null when there is no such process. */
export const readProcess = (pid: number): ProcessFacts | null => {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The name in parentheses may hold anything, also parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', ppid: Number(fields[1]), startTime: fields[19] ?? '' };
};

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
