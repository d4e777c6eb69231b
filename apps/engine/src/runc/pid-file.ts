/**
 * `--pid-file`: whoever waits for it must never read half a number. rename(2). Upstream: runc utils_linux.go (createPidFile).
 */
import { renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export const writePidFile = (path: string | undefined, pid: number): void => {
  if (path === undefined || path === '') return;
  const unfinished = join(dirname(path), `.${basename(path)}`);
  writeFileSync(unfinished, String(pid), { mode: 0o666 });
  renameSync(unfinished, path);
};
