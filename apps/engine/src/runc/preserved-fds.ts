/**
 * `--preserve-fds N`: which of our descriptors the caller means, and that they are the caller's and not Node's.
 * Upstream: runc utils_linux.go (runner.run).
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { EngineError } from '../protocol/errdefs.ts';
import { type Flags, textOf } from './flags.ts';

const FOLDER = '/proc/self/fd';
const FIRST = 3;

export const preservedFds = (flags: Flags): readonly number[] => {
  const word = textOf(flags, 'preserve-fds') ?? '0';
  if (!/^\d{1,5}$/.test(word))
    throw new EngineError(
      'invalid_argument',
      `invalid value ${JSON.stringify(word)} for flag -preserve-fds: parse error`,
    );
  const count = Number(word);
  if (count === 0) return [];
  const open = openDescriptors();
  return Array.from({ length: count }, (_, index) => {
    const fd = FIRST + index;
    const target = open.get(fd);
    if (target === undefined || isOwn(target, open))
      throw new EngineError(
        'invalid_argument',
        `unable to stat preserved-fd ${index} (of ${count}): stat ${FOLDER}/${fd}: no such file or directory`,
      );
    return fd;
  });
};

const openDescriptors = (): ReadonlyMap<number, string> =>
  new Map(
    readdirSync(FOLDER).flatMap((name) => {
      try {
        return [[Number(name), readlinkSync(`${FOLDER}/${name}`)] as const];
      } catch {
        // The one that the folder itself was read with.
        return [];
      }
    }),
  );

/**
 * Where the caller left a gap, Node has put something of its own there: its event loop, a pipe of which it holds both
 * ends, the helper in memory. No caller hands these over.
 */
const isOwn = (target: string, open: ReadonlyMap<number, string>): boolean =>
  /^anon_inode:\[(eventpoll|eventfd|timerfd|io_uring)\]|^\/memfd:runc/.test(target) ||
  (target.startsWith('pipe:') && [...open.values()].filter((other) => other === target).length > 1);
