/** Facts about a process, from /proc alone: proc_pid_stat(5), namespaces(7). */
import { readdirSync, readlinkSync } from 'node:fs';
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

/** What the descriptors of a process lead to, such as `pipe:[1234]`; empty when it is gone. proc_pid_fd(5) */
const openOf = (pid: number): readonly string[] => {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
};

/** Who of these has the pipe open that the process writes its output to. Null when that is no pipe. */
export const stdoutHolders = (
  pid: number,
  suspects: readonly { readonly name: string; readonly pid: number }[],
): Value => {
  try {
    const stdout = readlinkSync(`/proc/${pid}/fd/1`);
    if (!stdout.startsWith('pipe:')) return null;
    return suspects.filter((one) => openOf(one.pid).includes(stdout)).map(({ name }) => name);
  } catch {
    return null;
  }
};
