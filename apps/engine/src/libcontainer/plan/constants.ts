/**
 * The kernel's numbers that plans use, in the kernel's spelling. Those that differ between architectures are functions.
 * include/uapi/linux/{sched,mount,fcntl,prctl,openat2,seccomp,close_range}.h, asm-generic/{fcntl,ioctls}.h
 */
import type { NativeArchitecture } from './syscall-numbers.ts';

/** clone(2), unshare(2), setns(2) */
export const CLONE = {
  CLONE_NEWTIME: 0x80,
  CLONE_NEWNS: 0x0002_0000,
  CLONE_NEWCGROUP: 0x0200_0000,
  CLONE_NEWUTS: 0x0400_0000,
  CLONE_NEWIPC: 0x0800_0000,
  CLONE_NEWUSER: 0x1000_0000,
  CLONE_NEWPID: 0x2000_0000,
  CLONE_NEWNET: 0x4000_0000,
  CLONE_INTO_CGROUP: 0x2_0000_0000,
} as const;

/** mount(2) */
export const MS = {
  MS_RDONLY: 0x1,
  MS_NOSUID: 0x2,
  MS_NODEV: 0x4,
  MS_NOEXEC: 0x8,
  MS_SYNCHRONOUS: 0x10,
  MS_REMOUNT: 0x20,
  MS_MANDLOCK: 0x40,
  MS_DIRSYNC: 0x80,
  MS_NOSYMFOLLOW: 0x100,
  MS_NOATIME: 0x400,
  MS_NODIRATIME: 0x800,
  MS_BIND: 0x1000,
  MS_MOVE: 0x2000,
  MS_REC: 0x4000,
  MS_SILENT: 0x8000,
  MS_UNBINDABLE: 0x2_0000,
  MS_PRIVATE: 0x4_0000,
  MS_SLAVE: 0x8_0000,
  MS_SHARED: 0x10_0000,
  MS_RELATIME: 0x20_0000,
  MS_I_VERSION: 0x80_0000,
  MS_STRICTATIME: 0x100_0000,
  MS_LAZYTIME: 0x200_0000,
} as const;

/** umount2(2) */
export const MNT = { MNT_DETACH: 2 } as const;

/** mount_setattr(2). The three ways to keep access times are one field: MOUNT_ATTR__ATIME covers it. */
export const MOUNT_ATTR = {
  MOUNT_ATTR_RDONLY: 0x1,
  MOUNT_ATTR_NOSUID: 0x2,
  MOUNT_ATTR_NODEV: 0x4,
  MOUNT_ATTR_NOEXEC: 0x8,
  MOUNT_ATTR__ATIME: 0x70,
  MOUNT_ATTR_NOATIME: 0x10,
  MOUNT_ATTR_STRICTATIME: 0x20,
  MOUNT_ATTR_NODIRATIME: 0x80,
  MOUNT_ATTR_IDMAP: 0x10_0000,
  MOUNT_ATTR_NOSYMFOLLOW: 0x20_0000,
} as const;

/** open(2). Four of them have other numbers on arm64. */
const openFlagsOf = (arm: boolean) =>
  ({
    O_RDONLY: 0,
    O_WRONLY: 0o1,
    O_RDWR: 0o2,
    O_CREAT: 0o100,
    O_EXCL: 0o200,
    O_NOCTTY: 0o400,
    O_TRUNC: 0o1000,
    O_NONBLOCK: 0o4000,
    O_DIRECTORY: arm ? 0o40000 : 0o200000,
    O_NOFOLLOW: arm ? 0o100000 : 0o400000,
    O_CLOEXEC: 0o2000000,
    O_PATH: 0o10000000,
  }) as const;
const OPEN_FLAGS = { x64: openFlagsOf(false), arm64: openFlagsOf(true) } as const;

export const openFlags = (architecture: NativeArchitecture) => OPEN_FLAGS[architecture];

/** openat2(2) */
export const RESOLVE = {
  RESOLVE_NO_MAGICLINKS: 0x02,
  RESOLVE_NO_SYMLINKS: 0x04,
  RESOLVE_IN_ROOT: 0x10,
} as const;

export const AT = {
  AT_FDCWD: -100,
  AT_EACCESS: 0x200,
  AT_EMPTY_PATH: 0x1000,
  AT_RECURSIVE: 0x8000,
} as const;

/** open_tree(2), beside O_CLOEXEC and AT_* */
export const OPEN_TREE = { OPEN_TREE_CLONE: 0x1 } as const;

/** move_mount(2) */
export const MOVE_MOUNT = { MOVE_MOUNT_F_EMPTY_PATH: 0x4, MOVE_MOUNT_T_EMPTY_PATH: 0x40 } as const;

/** access(2) */
export const F_OK = 0;
export const X_OK = 1;

/** close_range(2) */
export const CLOSE_RANGE_CLOEXEC = 4;

/** mknod(2) */
export const S_IFMT_OF = { c: 0o020000, b: 0o060000, p: 0o010000 } as const;

/** prctl(2) */
export const PR = {
  PR_SET_DUMPABLE: 4,
  PR_SET_KEEPCAPS: 8,
  PR_CAPBSET_DROP: 24,
  PR_SET_NO_NEW_PRIVS: 38,
  PR_CAP_AMBIENT: 47,
  PR_CAP_AMBIENT_RAISE: 2,
  PR_CAP_AMBIENT_CLEAR_ALL: 4,
} as const;

/** seccomp(2) */
export const SECCOMP_SET_MODE_FILTER = 1;

/** tty_ioctl(2), netdevice(7). Generic numbers: the same on x86-64 and arm64. */
export const IOCTL = {
  TIOCSCTTY: 0x540e,
  TIOCSWINSZ: 0x5414,
  TIOCSPTLCK: 0x4004_5431,
  TIOCGPTPEER: 0x5441,
  SIOCSIFFLAGS: 0x8914,
} as const;

export const SIGCHLD = 17;

/** socket(2) */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SCM_RIGHTS = 1;
/** netdevice(7) */
export const IFF_UP = 0x1;

/** poll(2) */
export const POLLIN = 1;

/** keyctl(2) */
export const KEYCTL_JOIN_SESSION_KEYRING = 1;

/** bpf(2) */
export const BPF = {
  BPF_PROG_LOAD: 5,
  BPF_PROG_ATTACH: 8,
  BPF_PROG_TYPE_CGROUP_DEVICE: 15,
  BPF_CGROUP_DEVICE: 6,
  BPF_F_ALLOW_MULTI: 2,
} as const;

/** getrlimit(2) */
export const RLIMIT = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
} as const;

/** The same few combinations come up in every plan. */
const named = new WeakMap<Readonly<Record<string, number>>, Map<number | bigint, string>>();

/** `MS_NOSUID|MS_NODEV` as strace would print the number. What no name covers is printed in hexadecimal. */
export const flagNames = (
  table: Readonly<Record<string, number>>,
  value: number | bigint,
): string => {
  const known = named.get(table) ?? new Map<number | bigint, string>();
  named.set(table, known);
  const names = known.get(value) ?? nameFlags(table, value);
  known.set(value, names);
  return names;
};

const nameFlags = (table: Readonly<Record<string, number>>, value: number | bigint): string => {
  let rest = BigInt(value);
  const names: string[] = [];
  for (const [name, bit] of Object.entries(table)) {
    const mask = BigInt(bit);
    if (mask === 0n || (rest & mask) !== mask) continue;
    names.push(name);
    rest &= ~mask;
  }
  if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
  return names.length > 0 ? names.join('|') : '0';
};
