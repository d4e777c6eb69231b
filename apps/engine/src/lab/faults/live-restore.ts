/**
 * Switches live-restore of the running dockerd, as an administrator does: daemon.json, then SIGHUP.
 * Upstream: docs "Keep containers alive during daemon downtime"; moby daemon/reload.go.
 */
import { writeFileSync } from 'node:fs';
import { EngineError } from '../../protocol/errdefs.ts';

export const writeDaemonConfig = (path: string, liveRestore: boolean): void =>
  writeFileSync(path, `${JSON.stringify({ 'live-restore': liveRestore })}\n`, { mode: 0o600 });

const TRIES = 80;
const RETRY_MS = 25;

/** A signal has no answer, so dockerd itself is asked until it says so. */
export const untilLiveRestoreIs = async (
  wanted: boolean,
  isEnabled: () => Promise<boolean>,
): Promise<void> => {
  for (let tried = 0; tried < TRIES; tried++) {
    if ((await isEnabled()) === wanted) return;
    await new Promise((resolve) => {
      setTimeout(resolve, RETRY_MS);
    });
  }
  throw new EngineError('unavailable', 'dockerd did not take over its new configuration');
};
