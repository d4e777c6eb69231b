/** What the kernel says of a process. proc_pid_stat(5), proc_pid_cmdline(5) */
import { readFileSync } from 'node:fs';

export interface ProcessInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  readonly state: string;
  /** Clock ticks since boot; with the pid it names the process for as long as the machine is up. */
  readonly startTime: string;
}

/** Null when there is no such process. A zombie is still told of, with state `Z`. */
export const processInfo = (pid: number): ProcessInfo | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in parentheses and may itself contain any character.
    const open = stat.indexOf('(');
    const close = stat.lastIndexOf(')');
    const fields = stat.slice(close + 2).split(' ');
    const [state, ppid] = fields;
    const startTime = fields[19];
    if (!state || !ppid || !startTime) return null;
    return { pid, ppid: Number(ppid), name: stat.slice(open + 1, close), state, startTime };
  } catch {
    return null;
  }
};

export const argvOf = (pid: number): readonly string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
};

export const isAlive = (pid: number, startTime?: string): boolean => {
  const info = processInfo(pid);
  if (!info || info.state === 'Z' || info.state === 'X') return false;
  return startTime === undefined || info.startTime === startTime;
};
