/** What runc asks of the kernel, and what the init that it made asks, for a test: the real list has two hundred lines. */
import type { SyscallLine } from './trace-writer.fixture.ts';

const limit = (file: string, value: string) => ({
  attributes: { 'engineroom.cgroup.file': file, 'engineroom.cgroup.value': value },
});

export const RUNC: readonly SyscallLine[] = [
  [
    'runc',
    'mkdir',
    '"/sys/fs/cgroup/memory/engine-room/3f9c", 0755',
    'a cgroup for the container',
    'cgroup',
    'step',
  ],
  [
    'runc',
    'write',
    '"memory.limit_in_bytes", "268435456"',
    'at most 256 MiB of memory',
    'cgroup',
    'detail',
    limit('memory.limit_in_bytes', '268435456'),
  ],
  [
    'runc',
    'write',
    '"pids.max", "128"',
    'at most 128 processes',
    'cgroup',
    'detail',
    limit('pids.max', '128'),
  ],
  [
    'runc',
    'clone3',
    '{flags=CLONE_NEWPID|CLONE_NEWNS|CLONE_NEWNET}',
    'a child in new namespaces',
    'namespace',
    'step',
    { reference: 'man:clone(2)' },
  ],
];

export const INIT: readonly SyscallLine[] = [
  [
    'container',
    'mount',
    'NULL, "/", NULL, MS_REC|MS_PRIVATE, NULL',
    'mounts no longer spread to the host',
    'mount',
  ],
  [
    'container',
    'mount',
    '"proc", "/proc", "proc", MS_NOSUID, NULL',
    'its own view of processes',
    'mount',
    'step',
  ],
  [
    'container',
    'mount',
    '"tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=755"',
    'a small /dev of its own',
    'mount',
  ],
  [
    'container',
    'mount',
    '"cgroup", "/sys/fs/cgroup", "cgroup", MS_RDONLY, NULL',
    'cgroups, read only',
    'mount',
    'step',
    { errno: 'ENOENT' },
  ],
  [
    'container',
    'pivot_root',
    '".", "."',
    'the image becomes the root',
    'root',
    'step',
    { reference: 'man:pivot_root(2)' },
  ],
  ['container', 'sethostname', '"3f9c1d2e4b5a", 12', 'its own host name', 'identity'],
  [
    'container',
    'capset',
    '{pid=0}, {effective=0xa80425fb}',
    'only 14 of 41 capabilities are left',
    'capability',
    'step',
  ],
  [
    'container',
    'seccomp',
    'SECCOMP_SET_MODE_FILTER, 0, {len=382}',
    "Docker's default filter",
    'seccomp',
    'step',
  ],
];
