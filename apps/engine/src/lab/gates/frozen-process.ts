/** What the kernel says of a process that is held: proof that it stands still, and what it is made of at this moment. proc(5) */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { argvOf } from '../process-info.ts';

export interface FrozenProcess {
  readonly pid: number;
  readonly ppid: number;
  /** `runc:[init]`; what `ps` shows. */
  readonly name: string;
  /** A letter and a word: `S (sleeping)`, `Z (zombie)`. */
  readonly state: string;
  readonly argv: readonly string[];
  /** The pid in each pid namespace that it is in, the host's first. */
  readonly pids: readonly number[];
  readonly uid: number;
  /** Hexadecimal mask of the effective capabilities. */
  readonly capabilities: string;
  readonly noNewPrivileges: boolean;
  /** 0 off, 1 strict, 2 filter. */
  readonly seccomp: number;
  /** Inode numbers, and whether the host has another. */
  readonly namespaces: readonly {
    readonly type: string;
    readonly inode: string;
    readonly isOwn: boolean;
  }[];
  /** Lines of /proc/<pid>/cgroup. */
  readonly cgroups: readonly string[];
  /** What is mounted where, in the order of mounting; at most 64. */
  readonly mounts: readonly { readonly target: string; readonly type: string }[];
  readonly openFiles: number;
}

const NAMESPACES = ['pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup', 'user', 'time'] as const;
const MOUNTS_SHOWN = 64;

const readOr = (path: string, otherwise = ''): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
};

const inodeOf = (pid: number | 'self', type: string): string | null => {
  try {
    return /\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/ns/${type}`))?.[1] ?? null;
  } catch {
    // A zombie has let go of them.
    return null;
  }
};

const countOf = (folder: string): number => {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
};

/** Null when there is no such process. */
export const frozenProcess = (pid: number): FrozenProcess | null => {
  const status = new Map(
    readOr(`/proc/${pid}/status`)
      .split('\n')
      .map((line) => {
        const at = line.indexOf(':');
        return [line.slice(0, at), line.slice(at + 1).trim()] as const;
      }),
  );
  const name = status.get('Name');
  if (name === undefined) return null;
  const numbers = (field: string) => (status.get(field) ?? '').split(/\s+/).map(Number);
  return {
    pid,
    ppid: Number(status.get('PPid') ?? 0),
    name,
    state: status.get('State') ?? '',
    argv: argvOf(pid),
    pids: numbers('NSpid'),
    uid: numbers('Uid')[0] ?? 0,
    capabilities: status.get('CapEff') ?? '',
    noNewPrivileges: status.get('NoNewPrivs') === '1',
    seccomp: Number(status.get('Seccomp') ?? 0),
    namespaces: NAMESPACES.flatMap((type) => {
      const inode = inodeOf(pid, type);
      return inode === null ? [] : [{ type, inode, isOwn: inode !== inodeOf('self', type) }];
    }),
    cgroups: readOr(`/proc/${pid}/cgroup`).split('\n').filter(Boolean),
    mounts: readOr(`/proc/${pid}/mountinfo`)
      .split('\n')
      .filter(Boolean)
      .slice(-MOUNTS_SHOWN)
      .map((line) => ({
        target: line.split(' ')[4] ?? '',
        type: line.slice(line.indexOf(' - ') + 3).split(' ')[0] ?? '',
      })),
    openFiles: countOf(`/proc/${pid}/fd`),
  };
};
