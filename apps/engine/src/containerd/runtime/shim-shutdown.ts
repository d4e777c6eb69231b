/**
 * A shim whose task is gone has no reason to stay. Until it has hung up, the same container cannot be started again:
 * the address of a shim follows from the container's name.
 * Upstream: containerd core/runtime/v2/shim.go (waitShutdown).
 */
import { kindOf, messageOf } from '../../protocol/errdefs.ts';
import type { Log } from '../log.ts';
import type { Task } from './task.ts';

const TIMEOUT_MS = 3000;

/** True when the shim has hung up, and with it has let go of its address; false when it was given the time to. */
export const shutDown = async (
  { client, bundle, stopLog }: Task,
  now: boolean,
  log: Log,
): Promise<boolean> => {
  const complain = (words: string): void =>
    log.warn('shim did not shut down', { id: bundle.id, error: words });
  try {
    await client.calls.shutdown(
      { id: bundle.id, now },
      { timeoutMs: TIMEOUT_MS, source: __SOURCE__ },
    );
    const hasGone = await inTime(client.disconnected());
    // One that looks after several containers, as upstream's can, stays for the others.
    if (!hasGone) complain('it still listens');
    return hasGone;
  } catch (error) {
    // A shim that exits before it has answered did what it was asked.
    const hasGone = kindOf(error) === 'unavailable';
    if (!hasGone) complain(messageOf(error));
    return hasGone;
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
