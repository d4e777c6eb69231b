/** Removing a folder in one step: a crash leaves a hidden name, never half of it, and who still writes there finds nothing. */
import { renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export const removeAtOnce = (path: string): void => {
  const hidden = join(dirname(path), `.${basename(path)}`);
  rmSync(hidden, { recursive: true, force: true });
  ignoreMissing(() => renameSync(path, hidden));
  rmSync(hidden, { recursive: true, force: true });
};

export const ignoreMissing = (work: () => void): void => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
};
