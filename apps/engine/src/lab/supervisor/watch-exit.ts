/** Learns of the death of a process that is not our child. pidfd_open(2) */
import type { Native } from '../../../../../native/native.ts';
import type { WatchExit } from './daemon.ts';

export const watchExitWith =
  (native: Native): WatchExit =>
  (pid, onExit) => {
    let pidfd: number;
    try {
      pidfd = native.pidfdOpen(pid);
    } catch {
      // It is gone already.
      setImmediate(onExit);
      return () => undefined;
    }
    const stopWatching = native.watchReadable(pidfd, () => {
      stop();
      onExit();
    });
    const stop = (): void => {
      stopWatching();
      native.close(pidfd);
    };
    return stop;
  };
