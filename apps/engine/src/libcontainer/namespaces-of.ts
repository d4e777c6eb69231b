/**
 * Which namespaces a running process has, and which of them we do not have: what must be entered to be where it is.
 * proc_pid_ns(5), pid_namespaces(7).
 */
import { readFileSync, readlinkSync } from 'node:fs';
import type { Attributes } from '../protocol/trace/event.ts';
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

const NAMESPACES = ['pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup', 'user'] as const;

/** `pid:[4026532190]` → 4026532190, for each namespace that the process is in right now. */
export const namespaceAttributes = (pid: number): Attributes => {
  const attributes: Record<string, string> = {};
  for (const name of NAMESPACES) {
    try {
      const inode = /\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/${name}`))?.[1];
      if (inode) attributes[`engineroom.namespace.${name}`] = inode;
    } catch {
      // It is gone, or is just becoming another program.
      return attributes;
    }
  }
  return attributes;
};
