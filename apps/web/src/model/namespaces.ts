/** Which namespaces the container got: read off clone3's flags and, once known, the inodes of /proc/<pid>/ns (namespaces(7)). */
import type { Attributes, SyscallEvent } from '@engine-room/engine/protocol/trace/event.ts';

/** The names of the files in /proc/<pid>/ns, by the flag of clone3. */
const KIND_OF_FLAG: Readonly<Record<string, string>> = {
  PID: 'pid',
  NS: 'mnt',
  UTS: 'uts',
  IPC: 'ipc',
  NET: 'net',
  CGROUP: 'cgroup',
  USER: 'user',
};

type Namespaces = Readonly<Record<string, string | null>>;

/** `CLONE_NEWPID|CLONE_NEWNS` in the arguments makes two. */
export const namespacesMade = (before: Namespaces, { name, detail }: SyscallEvent): Namespaces => {
  if (name !== 'clone3' && name !== 'clone' && name !== 'unshare') return before;
  const made = [...detail.matchAll(/NEW(PID|NS|UTS|IPC|NET|CGROUP|USER)\b/g)].flatMap(
    ([, flag]) => KIND_OF_FLAG[flag ?? ''] ?? [],
  );
  if (made.length === 0) return before;
  const next = { ...before };
  for (const kind of made) next[kind] ??= null;
  return next;
};

/** Fills in inode numbers. Namespaces that the container shares with the host are not its own, and not listed. */
export const namespaceInodes = (before: Namespaces, attributes: Attributes): Namespaces => {
  let next = before;
  for (const kind of Object.keys(before)) {
    const inode = attributes[`engineroom.namespace.${kind}`];
    if (inode !== undefined) next = { ...next, [kind]: String(inode) };
  }
  return next;
};
