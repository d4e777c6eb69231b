/**
 * Names, numbers and sentences of the errors that system calls return on Linux.
 * errno(3), include/uapi/asm-generic/errno{,-base}.h; the sentences are strerror(3)'s in Go's spelling (all lower case).
 */
import { constants } from 'node:os';

export const ERRNO = constants.errno;

const nameByNumber = new Map<number, string>(
  Object.entries(ERRNO)
    .reverse()
    .map(([name, number]) => [number, name]),
);
// Those that share a number with, or are unknown to, libuv.
nameByNumber.set(11, 'EAGAIN').set(95, 'EOPNOTSUPP').set(15, 'ENOTBLK').set(126, 'ENOKEY');

/** `ENOENT` for 2. */
export const errnoName = (number: number): string => nameByNumber.get(number) ?? `errno ${number}`;

const SENTENCES: Readonly<Record<string, string>> = {
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or directory',
  ESRCH: 'no such process',
  EINTR: 'interrupted system call',
  EIO: 'input/output error',
  ENXIO: 'no such device or address',
  E2BIG: 'argument list too long',
  ENOEXEC: 'exec format error',
  EBADF: 'bad file descriptor',
  EAGAIN: 'resource temporarily unavailable',
  ENOMEM: 'cannot allocate memory',
  EACCES: 'permission denied',
  EFAULT: 'bad address',
  ENOTBLK: 'block device required',
  EBUSY: 'device or resource busy',
  EEXIST: 'file exists',
  EXDEV: 'invalid cross-device link',
  ENODEV: 'no such device',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  EINVAL: 'invalid argument',
  ENFILE: 'too many open files in system',
  EMFILE: 'too many open files',
  ETXTBSY: 'text file busy',
  EFBIG: 'file too large',
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
  EMLINK: 'too many links',
  EPIPE: 'broken pipe',
  ERANGE: 'numerical result out of range',
  ENAMETOOLONG: 'file name too long',
  ENOSYS: 'function not implemented',
  ENOTEMPTY: 'directory not empty',
  ELOOP: 'too many levels of symbolic links',
  EPROTO: 'protocol error',
  EOVERFLOW: 'value too large for defined data type',
  EOPNOTSUPP: 'operation not supported',
};

/** `no such file or directory` for 2. */
export const errnoSentence = (number: number): string =>
  SENTENCES[errnoName(number)] ?? errnoName(number);
