/** A hold on one process that no reuse of its pid can redirect. pidfd_open(2), pidfd_send_signal(2) */
import { constants } from 'node:os';
import type { Native } from '../../../../../native/native.ts';
import { isAlive } from '../process-info.ts';
import type { ProcessRecord } from '../supervisor/process-record.ts';

export type HoldNative = Pick<Native, 'pidfdOpen' | 'pidfdSendSignal' | 'watchReadable' | 'close'>;

export class ProcessHandle {
  /** Resolves when the process has ended, or when it is let go. */
  readonly ended: Promise<void>;
  readonly #native: HoldNative;
  readonly #pidfd: number;
  #release: () => void = () => undefined;

  private constructor(native: HoldNative, pidfd: number) {
    this.#native = native;
    this.#pidfd = pidfd;
    this.ended = new Promise((resolve) => {
      const stopWatching = native.watchReadable(pidfd, () => this.#release());
      this.#release = () => {
        this.#release = () => undefined;
        stopWatching();
        native.close(pidfd);
        resolve();
      };
    });
  }

  /** Null when that process is gone: whoever has its pid by now is another. */
  static hold(native: HoldNative, { pid, startTime }: ProcessRecord): ProcessHandle | null {
    let pidfd: number;
    try {
      pidfd = native.pidfdOpen(pid);
    } catch {
      return null;
    }
    // Asked after the opening, so the answer is about the process that is held.
    if (isAlive(pid, startTime)) return new ProcessHandle(native, pidfd);
    native.close(pidfd);
    return null;
  }

  signal(name: 'SIGKILL' | 'SIGTERM' | 'SIGHUP'): void {
    this.#native.pidfdSendSignal(this.#pidfd, constants.signals[name]);
  }

  release(): void {
    this.#release();
  }
}
