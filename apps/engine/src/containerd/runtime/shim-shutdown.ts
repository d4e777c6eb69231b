/**
 * A shim whose task is gone has no reason to stay. Until it has hung up, the same container cannot be started again:
 * the address of a shim follows from the container's name.
 * Upstream: containerd core/runtime/v2/shim.go (waitShutdown).
 */
import { kindOf, messageOf } from '../../protocol/errdefs.ts';
import type { Log } from '../log.ts';
import type { Task } from './task.ts';

const TIMEOUT_MS = 3000;

/** Postcondition: the shim has let go of its address, or was given the time to. */
export const shutDown = async (
  { client, bundle, stopLog }: Task,
  now: boolean,
  log: Log,
): Promise<void> => {
  const complain = (words: string): void =>
    log.warn('shim did not shut down', { id: bundle.id, error: words });
  try {
    await client.calls.shutdown(
      { id: bundle.id, now },
      { timeoutMs: TIMEOUT_MS, source: __SOURCE__ },
    );
    // A shim that looks after several containers, as upstream's can, stays for the others.
    if (!(await inTime(client.disconnected()))) complain('it still listens');
  } catch (error) {
    // A shim that exits before it has answered did what it was asked.
    if (kindOf(error) !== 'unavailable') complain(messageOf(error));
  } finally {
    client.close();
    stopLog();
  }
};

const inTime = (work: Promise<void>): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, TIMEOUT_MS, false);
  });
  return Promise.race([work.then(() => true), late]).finally(() => clearTimeout(timer));
};
