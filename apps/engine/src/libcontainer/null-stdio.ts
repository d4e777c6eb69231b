/**
 * /dev/null for a runc that has nothing to say and nothing to read. null(4)
 */
import { closeSync, openSync } from 'node:fs';

/** `use` runs in time: the descriptor is inherited when runc is spawned, and closed when `use` has settled. */
export const withNullStdio = async <T>(
  use: (stdio: readonly [number, number, number]) => Promise<T>,
): Promise<T> => {
  const fd = openSync('/dev/null', 'r+');
  try {
    return await use([fd, fd, fd]);
  } finally {
    closeSync(fd);
  }
};
