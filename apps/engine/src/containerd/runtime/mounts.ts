/** What is mounted, as the kernel tells it. proc_pid_mountinfo(5), umount2(2). */
import { readFileSync } from 'node:fs';

/** umount2(2): lazily, and never through a link. */
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

export interface Unmounter {
  readonly unmount: (target: string, flags: number) => void;
}

/** The kernel writes blanks and backslashes in a path as octal. */
const unescapePath = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

/** Mount points at `path` and below, the deepest and the latest first: the order in which they can be unmounted. */
export const mountsBelow = (path: string): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => unescapePath(line.split(' ')[4] ?? ''))
    .filter((target) => target === path || target.startsWith(`${path}/`))
    .reverse();

/** Unmounts everything at `path` and below. */
export const unmountBelow = (path: string, { unmount }: Unmounter): void => {
  for (const target of mountsBelow(path)) unmount(target, MNT_DETACH | UMOUNT_NOFOLLOW);
};
