/**
 * How the master of a new terminal comes back to the caller: over a socket of the caller's, or over a pair made here.
 * unix(7) SCM_RIGHTS. Upstream: runc tty.go.
 */
import { fstatSync } from 'node:fs';
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';

export interface ConsoleChannel {
  /** What the helper gets besides plan and records. */
  readonly extraFds: readonly number[];
  /** runc has its copy. */
  handedOver(): void;
  /** The master that the new process has sent. */
  receive(): number | null;
  close(): void;
}

const TIMEOUT_MS = 1000;

export const openConsole = (
  native: Native,
  options: {
    readonly terminal: boolean;
    readonly consoleSocket?: number | undefined;
    /** How the sentence of a refusal begins. */
    readonly words: string;
  },
): ConsoleChannel => {
  const { terminal, consoleSocket, words } = options;
  const nothing = { handedOver: () => undefined, receive: () => null, close: () => undefined };
  if (!terminal) {
    if (consoleSocket !== undefined)
      throw new EngineError(
        'invalid_argument',
        `${words}: cannot use console socket if runc will not detach or allocate tty`,
      );
    return { ...nothing, extraFds: [] };
  }
  if (consoleSocket !== undefined) return { ...nothing, extraFds: [consoleSocket] };
  const [ours, theirs] = native.socketpair();
  const open = new Set([ours, theirs]);
  const close = (fd: number): void => {
    if (open.delete(fd)) native.close(fd);
  };
  return {
    extraFds: [theirs],
    handedOver: () => close(theirs),
    // It was sent long ago: sending comes before the process says that it is ready.
    receive: () => native.receiveFd(ours, TIMEOUT_MS),
    close: () => [ours, theirs].forEach(close),
  };
};

/** A pipe was made for this process; /dev/null and files are the host's. */
const isOwn = (fd: number): boolean => {
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket();
};

export const ownedStdio = (
  stdio: readonly [number, number, number],
): readonly [boolean, boolean, boolean] => [isOwn(stdio[0]), isOwn(stdio[1]), isOwn(stdio[2])];
