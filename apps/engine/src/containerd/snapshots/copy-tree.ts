/**
 * A whole tree copied with owners, times, hard links, devices, holes and extended attributes: what cp(1) of coreutils
 * does. Upstream: containerd/continuity fs/copy.go.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';

/** The files of one folder into another that is there already; the folder itself gets owner, mode and times too. */
export const copyTree = async (source: string, target: string): Promise<void> => {
  try {
    await promisify(execFile)('cp', ['--archive', '--reflink=auto', '--', `${source}/.`, target]);
  } catch (error) {
    throw new EngineError('internal', `failed to copy ${source}: ${messageOf(error)}`);
  }
};
