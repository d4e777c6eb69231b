/**
 * A shim is the parent of last resort ("subreaper") for everything that its container leaves behind. prctl(2)
 *
 * The container's own process is waited for by pidfd. What else becomes a child of ours (runc's orphans, processes of a
 * container without a pid namespace) must be collected as well: a zombie that nobody waits for would keep the
 * container's pid namespace alive for ever.
 */
import type { ExitStatus, Native } from '../../../../native/native.ts';

type ReaperNative = Pick<
  Native,
  'setChildSubreaper' | 'pidfdOpen' | 'watchReadable' | 'reap' | 'close' | 'peekExitedChild'
>;

const ROUND_MS = 200;
/** What is said of a process whose status somebody else has taken: as containerd says when it does not know. */
const UNKNOWN_CODE = 255;

export class Reaper {
  readonly #native: ReaperNative;
  readonly #awaited = new Set<number>();
  #timer: NodeJS.Timeout | null = null;
  #holds = 0;
  /** An unknown child that had exited when we last looked. */
  #suspect: number | null = null;
  readonly #onChild = () => this.#collectLater();

  constructor(native: ReaperNative) {
    this.#native = native;
    native.setChildSubreaper();
    process.on('SIGCHLD', this.#onChild);
  }

  /**
   * Calls back once, when the process has exited, with its status. Takes the pidfd over.
   * `before` may put the collecting off: it never rejects.
   */
  wait(
    pid: number,
    pidfd: number,
    onExit: (status: ExitStatus) => void,
    before: () => Promise<void> = () => Promise.resolve(),
  ): void {
    this.#awaited.add(pid);
    const whenReadable = (then: () => void): void => {
      const stop = this.#native.watchReadable(pidfd, () => {
        stop();
        then();
      });
    };
    const collect = (): void => {
      const status = this.#statusOf(pid);
      // Not ours yet: a debugger has it first.
      if (!status) return whenReadable(collect);
      this.#native.close(pidfd);
      this.#awaited.delete(pid);
      onExit(status);
    };
    whenReadable(() => void before().then(collect));
  }

  /**
   * Collects no orphan until the returned function was called: a process is being born that will be waited for, and
   * its pid is not known yet.
   */
  hold(): () => void {
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
      if (this.#holds === 0) this.#collectLater();
    };
  }

  close(): void {
    process.off('SIGCHLD', this.#onChild);
    if (this.#timer) clearTimeout(this.#timer);
  }

  #statusOf(pid: number): ExitStatus | null {
    try {
      return this.#native.reap(pid);
    } catch {
      return { pid, code: UNKNOWN_CODE, signal: 0 };
    }
  }

  #collectLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#collect();
    }, ROUND_MS).unref();
  }

  /**
   * Collects an exited child that nobody waits for. runc's own exit belongs to whoever started runc and watches its
   * pidfd; so a child counts as nobody's only when it is still there in the next round: between two rounds the event
   * loop has told everybody of everything, however busy the machine is.
   */
  #collect(): void {
    if (this.#holds > 0) return;
    const pid = this.#native.peekExitedChild();
    if (pid !== null && pid === this.#suspect && !this.#awaited.has(pid)) this.#statusOf(pid);
    this.#suspect = pid;
    // The kernel shows one child at a time.
    if (pid !== null) this.#collectLater();
  }
}
