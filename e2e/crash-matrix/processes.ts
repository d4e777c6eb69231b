/** Which process to kill: found as an operator would, in /proc, from the container's own process upwards. */
import { readFileSync } from 'node:fs';

const parentOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]);
const argvOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
const nameOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();

/** The shim that `pid` is, or that it descends from. */
export function shimAbove(pid: number): number {
  for (let each = pid; each > 1; each = parentOf(each))
    if (argvOf(each).includes('containerd-shim')) return each;
  throw new Error(`no shim is above ${pid}`);
}

/** runc itself, while it makes the container whose init this is. */
export function runcAbove(init: number): number {
  const runc = parentOf(init);
  if (nameOf(runc) !== 'runc') throw new Error(`${runc} is ${nameOf(runc)} and not runc`);
  return runc;
}
