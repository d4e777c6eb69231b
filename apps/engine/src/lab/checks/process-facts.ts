/** Facts about a process, from /proc alone: proc_pid_stat(5), namespaces(7). */
import { readlinkSync } from 'node:fs';
import type { FactName } from '../../protocol/lesson/facts.ts';
import type { Value } from '../../protocol/lesson/predicate.ts';
import { isAlive, processInfo } from '../process-info.ts';

/** The inode that names a namespace; null when the process is gone. */
const namespaceOf = (pid: number, kind: string): number | null => {
  try {
    return Number(/\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/${kind}`))?.[1]);
  } catch {
    return null;
  }
};

export const processFact = (name: FactName, pid: number): Value => {
  if (name.startsWith('ns.')) return namespaceOf(pid, name.slice('ns.'.length));
  switch (name) {
    case 'process.pid':
      return pid;
    case 'process.alive':
      return isAlive(pid);
    case 'process.parent':
      return processInfo(pid)?.ppid ?? null;
    case 'process.startTime':
      return processInfo(pid)?.startTime ?? null;
    default:
      return null;
  }
};
