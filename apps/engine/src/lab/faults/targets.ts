/**
 * Which process a fault is about. A pid is only a number, so each is checked against the kernel: a shim must be the
 * parent of the container's process and carry the container's id and this engine's containerd in its argv.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import { argvOf, isAlive, processInfo } from '../process-info.ts';
import type { ProcessRecord } from '../supervisor/process-record.ts';

/** A container's two processes that shall outlive the daemons. */
export interface LivingContainer {
  readonly id: string;
  readonly init: ProcessRecord;
  readonly shim: ProcessRecord;
}

const recordOf = (pid: number): ProcessRecord | null => {
  const info = processInfo(pid);
  return info && isAlive(pid) ? { pid, startTime: info.startTime } : null;
};

/** Null when it does not run (any more). `pid` is what the engine says of it. */
export const livingContainer = (options: {
  readonly id: string;
  readonly pid: number;
  readonly containerdSocket: string;
}): LivingContainer | null => {
  const { id, pid, containerdSocket } = options;
  if (!Number.isInteger(pid) || pid <= 1) return null;
  const init = recordOf(pid);
  const ppid = processInfo(pid)?.ppid ?? 0;
  if (!init || ppid <= 1) return null;
  const shim = recordOf(ppid);
  // A shim that was claimed has written its title over its argv, as one text.
  const words = argvOf(ppid).flatMap((text) => text.trim().split(' '));
  const isOurShim = words.includes(id) && words.includes(containerdSocket);
  return shim && isOurShim ? { id, init, shim } : null;
};

/** What /proc says of a process that was there before: the same one still, or gone. */
export const look = ({
  pid,
  startTime,
}: ProcessRecord): { readonly isThere: boolean; readonly ppid: number | null } => {
  const isThere = isAlive(pid, startTime);
  return { isThere, ppid: isThere ? (processInfo(pid)?.ppid ?? null) : null };
};

export const notRunning = (what: string): EngineError =>
  new EngineError('conflict', `${what} does not run, so there is nothing to send a signal to`);
