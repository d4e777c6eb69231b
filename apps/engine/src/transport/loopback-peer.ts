/**
 * Who is at the other end of a TCP connection that comes from this very machine. TCP has no SO_PEERCRED, but the kernel
 * lists each connection with the inode of its socket, and each process with the sockets that it has open.
 * proc_pid_net(5), proc_pid_fd(5)
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** `127.0.0.1`, 2375 → `0100007F:0947`, as the kernel writes it on a little-endian machine. */
const addressInTable = (address: string, port: number): string => {
  const bytes = address.split('.').map(Number).toReversed();
  return `${Buffer.from(bytes).toString('hex')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
};

type Connection = {
  readonly [Key in 'localAddress' | 'remoteAddress']?: string | undefined;
} & { readonly [Key in 'localPort' | 'remotePort']?: number | undefined };

/** Null for whoever is elsewhere, or has gone. */
export const pidOfLoopbackPeer = ({
  localAddress,
  localPort,
  remoteAddress,
  remotePort,
}: Connection): number | null => {
  const [local, remote] = [localAddress, remoteAddress].map((each) => each?.replace('::ffff:', ''));
  if (!local || !remote?.startsWith('127.')) return null;
  const theirs = addressInTable(remote, remotePort ?? 0);
  const ours = addressInTable(local, localPort ?? 0);
  const inode = inodeOf(theirs, ours, ['/proc/self/net/tcp', '/proc/self/net/tcp6']);
  return inode === null ? null : holderOf(`socket:[${inode}]`);
};

const inodeOf = (theirs: string, ours: string, tables: readonly string[]): string | null => {
  for (const table of tables)
    for (const line of linesOf(table)) {
      const [, local = '', remote = '', , , , , , , inode = ''] = line.trim().split(/\s+/);
      // Of an IPv6 socket with an IPv4 address the last four bytes are that address.
      if (local.endsWith(theirs) && remote.endsWith(ours)) return inode;
    }
  return null;
};

const linesOf = (table: string): readonly string[] => {
  try {
    return readFileSync(table, 'latin1').split('\n').slice(1);
  } catch {
    return [];
  }
};

const holderOf = (socket: string): number | null => {
  for (const pid of readdirSync('/proc'))
    if (/^\d+$/.test(pid) && Number(pid) !== process.pid && holds(pid, socket)) return Number(pid);
  return null;
};

const holds = (pid: string, socket: string): boolean => {
  try {
    return readdirSync(`/proc/${pid}/fd`).some(
      (fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === socket,
    );
  } catch {
    // It has gone, or closed something meanwhile.
    return false;
  }
};
