/**
 * A new volume begins with what the image has at its place, owners, modes and links included. Upstream: moby
 * daemon/container/container_unix.go CopyImagePathContent.
 */
import { execFile } from 'node:child_process';
import { lstat, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { resolveInRoot } from '../images/root-view.ts';

/** True when there was something to copy. Precondition: nobody else looks into the volume yet. */
export const copyUpVolume = async (options: {
  readonly root: string;
  readonly destination: string;
  readonly mountpoint: string;
}): Promise<boolean> => {
  const { root, destination, mountpoint } = options;
  const source = await resolveInRoot(root, destination);
  if (source === undefined) return false;
  if (!(await lstat(source)).isDirectory()) {
    throw new EngineError(
      'invalid_argument',
      `cannot mount volume over existing file, file exists ${source}`,
    );
  }
  // What somebody has put there stays.
  if ((await readdir(mountpoint)).length > 0) return false;
  // Node copies neither owners nor extended attributes. The `.` gives the volume itself the folder's owner and mode.
  try {
    await promisify(execFile)('cp', ['-a', '--', `${source}/.`, mountpoint]);
  } catch (error) {
    throw new EngineError('internal', `failed to populate volume: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return true;
};
