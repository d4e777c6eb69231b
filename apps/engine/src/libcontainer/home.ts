/**
 * HOME of the container's user, out of the image's /etc/passwd: the one thing that runc itself reads in the rootfs.
 * The image is hostile: no symbolic link is followed, no FIFO waited for, and not much is read. passwd(5)
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

const O_PATH = 0o10000000;
const LIMIT_BYTES = 1024 * 1024;

/** As upstream: `/` for a user that the image does not know; root's is /root even then. */
export const homeOf = (rootfs: string, uid: number): string => {
  const line = readPasswd(rootfs)
    .split('\n')
    .map((text) => text.split(':'))
    .find((fields) => fields[2] === String(uid) && fields.length >= 6);
  const home = line?.[5] ?? '';
  if (home.startsWith('/') && !home.includes('\0')) return home;
  return uid === 0 ? '/root' : '/';
};

/** Empty when there is none, or none that is plainly a file. */
const readPasswd = (rootfs: string): string => {
  const opened: number[] = [];
  const open = (path: string, flags: number): number => {
    const fd = openSync(path, flags | constants.O_NOFOLLOW);
    opened.push(fd);
    return fd;
  };
  try {
    const root = open(rootfs, O_PATH | constants.O_DIRECTORY);
    const etc = open(`/proc/self/fd/${root}/etc`, O_PATH | constants.O_DIRECTORY);
    // First a handle that opens nothing: a device of the image must not be touched.
    const handle = open(`/proc/self/fd/${etc}/passwd`, O_PATH);
    if (!fstatSync(handle).isFile()) return '';
    const file = openSync(`/proc/self/fd/${handle}`, constants.O_RDONLY);
    opened.push(file);
    const bytes = new Uint8Array(Math.min(fstatSync(file).size, LIMIT_BYTES));
    return new TextDecoder().decode(bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0)));
  } catch {
    return '';
  } finally {
    for (const fd of opened) closeSync(fd);
  }
};
