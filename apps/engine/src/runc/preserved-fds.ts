/**
 * `--preserve-fds N`, behind the sockets that systemd hands over (LISTEN_FDS): which of our descriptors the caller means,
 * and that they are the caller's and not Node's.
 * sd_listen_fds(3). Upstream: runc utils_linux.go (runner.run).
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { EngineError } from '../protocol/errdefs.ts';
import { type Flags, textOf } from './flags.ts';

const FOLDER = '/proc/self/fd';
const FIRST = 3;

export interface PreservedFds {
  readonly fds: readonly number[];
  /** What the program is told of them, as it would be by systemd. */
  readonly env: readonly string[];
}

export const preservedFds = (flags: Flags): PreservedFds => {
  const sockets = countOfSockets();
  const env = sockets === 0 ? [] : [`LISTEN_FDS=${sockets}`, 'LISTEN_PID=1'];
  return { fds: handedOver(sockets + askedFor(flags)), env };
};

/** Variables that were meant for another process say nothing of our descriptors. */
const countOfSockets = (): number => {
  const { LISTEN_PID, LISTEN_FDS } = process.env;
  if (LISTEN_PID !== String(process.pid) || !/^\d{1,5}$/.test(LISTEN_FDS ?? '')) return 0;
  return Number(LISTEN_FDS);
};

const askedFor = (flags: Flags): number => {
  const word = textOf(flags, 'preserve-fds') ?? '0';
  if (!/^\d{1,5}$/.test(word))
    throw new EngineError(
      'invalid_argument',
      `invalid value ${JSON.stringify(word)} for flag -preserve-fds: parse error`,
    );
  return Number(word);
};

const handedOver = (count: number): readonly number[] => {
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
