/**
 * Which namespaces a running process has that we do not have: what must be entered to be where it is.
 * proc_pid_ns(5), pid_namespaces(7).
 */
import { readFileSync, readlinkSync } from 'node:fs';
import type { Kind } from './namespaces.ts';

const FILE_OF: Readonly<Record<Kind, string>> = {
  user: 'user',
  mount: 'mnt',
  pid: 'pid',
  network: 'net',
  ipc: 'ipc',
  uts: 'uts',
  cgroup: 'cgroup',
  time: 'time',
};

/** Entering the user namespace that one is in already is an error, so only what differs is entered. */
export const namespacesToEnter = (pid: number): readonly Kind[] => {
  const inode = (of: string, file: string): string | null => {
    try {
      return readlinkSync(`/proc/${of}/ns/${file}`);
    } catch {
      return null;
    }
  };
  return Object.entries(FILE_OF)
    .filter(([, file]) => inode(String(pid), file) !== inode('self', file))
    .map(([kind]) => kind as Kind);
};

/** The number under which the process knows itself. proc_pid_status(5) NSpid */
export const innermostPid = (pid: number): number => {
  const numbers = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
  return Number(numbers.trim().split(/\s+/).at(-1) ?? pid);
};
