/** What the kernel says of a process. proc_pid_stat(5), proc_pid_cmdline(5). */
import { readFileSync } from 'node:fs';

export interface ProcessFacts {
  readonly pid: number;
  readonly ppid: number;
  /** Field 22 of stat: with the pid it names the process for as long as the machine is up. */
  readonly startTime: string;
  readonly argv: readonly string[];
}

/** Undefined when the process is gone. */
export const processFacts = (pid: number): ProcessFacts | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold anything, brackets and blanks included.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .filter((part) => part !== '');
    return { pid, ppid: Number(fields[1]), startTime: fields[19] ?? '', argv };
  } catch {
    return undefined;
  }
};
