/**
 * `--init`: a tiny program of the host's that becomes the container's first process, passes signals on and reaps
 * orphans. Debian's docker-init is tini. Upstream: moby daemon/oci_linux.go WithCommonOptions.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { EngineError } from '../../protocol/errdefs.ts';

/** It runs in any image, so it must need no library of one. */
const NAMES = ['docker-init', 'tini-static'];

/** Null when none was asked for. */
export const initProgram = (isWanted: boolean): string | null => {
  if (!isWanted) return null;
  for (const name of NAMES) {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not here.
      }
    }
  }
  throw new EngineError(
    'invalid_argument',
    'exec: "docker-init": executable file not found in $PATH (Debian: apt-get install tini)',
  );
};
