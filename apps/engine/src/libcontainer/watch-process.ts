/**
 * A process that has become our child, watched by pidfd until it can be collected. pidfd_open(2), wait4(2)
 */
import type { Native } from '../../../../native/native.ts';

export interface RunningProcess {
  readonly exited: Promise<{ readonly code: number; readonly signal: number }>;
  kill(): void;
}

/** Somebody else has collected it, and its status with it. */
const UNKNOWN = { code: 255, signal: 0 };

/** Precondition: this process is its parent, or the subreaper that it falls to. */
export const watchProcess = (native: Native, pid: number): RunningProcess => {
  let pidfd: number;
  try {
    pidfd = native.pidfdOpen(pid);
  } catch {
    return { exited: Promise.resolve(UNKNOWN), kill: () => undefined };
  }
  let isOpen = true;
  const exited = new Promise<{ code: number; signal: number }>((resolve) => {
    const stop = native.watchReadable(pidfd, () => {
      const status = statusOf(native, pid);
      if (!status) return;
      stop();
      isOpen = false;
      native.close(pidfd);
      resolve(status);
    });
  });
  return { exited, kill: () => isOpen && native.pidfdSendSignal(pidfd, 9) };
};

const statusOf = (native: Native, pid: number): { code: number; signal: number } | null => {
  try {
    return native.reap(pid);
  } catch {
    return UNKNOWN;
  }
};
