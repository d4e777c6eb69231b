/** What the kernel says about a process: proc(5), cgroups(7). */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export const namespaceOf = (pid: number | 'self', kind: string): string =>
  readlinkSync(`/proc/${pid}/ns/${kind}`);

/** One line of /proc/<pid>/status, e.g. `CapEff`. */
export function statusOf(pid: number, field: string): string {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${field}:`));
  if (line === undefined) throw new Error(`/proc/${pid}/status has no ${field}`);
  return line.slice(field.length + 1).trim();
}

/** Field 22 of /proc/<pid>/stat: when it was started. With the pid it names a process for good. */
export const startTimeOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? '';

/** A limit of the process's cgroup: the file of version 1 or of version 2, whichever this machine has. */
export function cgroupLimit(pid: number, controller: string, v1: string, v2: string): string {
  for (const line of readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers.split(',').includes(controller))
      return readFileSync(join('/sys/fs/cgroup', controllers, path, v1), 'utf8').trim();
    const unified = join('/sys/fs/cgroup', path, v2);
    if (controllers === '' && existsSync(unified)) return readFileSync(unified, 'utf8').trim();
  }
  throw new Error(`no cgroup of ${pid} controls ${controller}`);
}
