/** Who listens there? Asked when a port or a socket is taken. proc_pid_net(5), proc_pid_fd(5) */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { argvOf } from './process-info.ts';

const TCP_LISTENING = '0A';
/** __SO_ACCEPTCON: accepted connections bear the path of the listener too. */
const UNIX_LISTENING = '00010000';

const lines = (path: string): readonly (readonly string[])[] => {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
};

const processWithInode = (inode: string): string | null => {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    let fds: string[];
    try {
      fds = readdirSync(`/proc/${pid}/fd`);
    } catch {
      // It is gone, or not ours to look at.
      continue;
    }
    for (const fd of fds) {
      try {
        if (readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`) {
          return `process ${pid} (${argvOf(Number(pid)).join(' ').trim().slice(0, 120)})`;
        }
      } catch {
        continue;
      }
    }
  }
  return null;
};

/** `process 17 (node server.js)`, or null when it cannot be seen. */
export const ownerOfPort = (port: number): string | null => {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const row = [...lines('/proc/net/tcp'), ...lines('/proc/net/tcp6')].find(
    ([, local, , state]) => local?.endsWith(suffix) === true && state === TCP_LISTENING,
  );
  return row?.[9] === undefined ? null : processWithInode(row[9]);
};

export const ownerOfUnixSocket = (path: string): string | null => {
  const row = lines('/proc/net/unix').find(
    (fields) => fields[7] === path && fields[3] === UNIX_LISTENING,
  );
  return row?.[6] === undefined ? null : processWithInode(row[6]);
};
