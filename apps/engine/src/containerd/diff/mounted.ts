/**
 * Makes the mounts of a snapshot one folder to write into, for as long as a layer is applied.
 *
 * A bind mount is its source; an overlay is really mounted, at a temporary place, so that the kernel itself
 * writes whiteouts into the upper folder. mount(2), umount2(2).
 */
import { mkdtempSync, rmdirSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { failedPrecondition, invalidArgument } from '../errors.ts';
import type { Mount } from '../snapshots/snapshotter.ts';

/** The part of the native addon that this needs. */
export interface MountCalls {
  readonly mount: (options: {
    source: string;
    target: string;
    type: string;
    flags: number;
    data: string;
  }) => void;
  readonly unmount: (target: string, flags: number) => void;
}

export interface MountedOptions {
  readonly calls: MountCalls;
  /** Where temporary mount points may be made. */
  readonly folder: string;
}

/** Runs `work` on the folder that the mounts show. */
export const withMounted = async <T>(
  mounts: readonly Mount[],
  { calls, folder }: MountedOptions,
  work: (target: string) => Promise<T>,
): Promise<T> => {
  const [mount, ...others] = mounts;
  if (!mount || others.length > 0)
    throw invalidArgument(`expected exactly one mount, not ${mounts.length}`);
  if (mount.options.includes('ro'))
    throw failedPrecondition('cannot apply a layer to a read-only snapshot');
  if (mount.type === 'bind') {
    if (!isAbsolute(mount.source))
      throw invalidArgument(`source of a bind mount must be absolute: ${mount.source}`);
    return work(mount.source);
  }
  if (mount.type !== 'overlay')
    throw invalidArgument(`cannot apply a layer to a mount of type "${mount.type}"`);
  const target = mkdtempSync(join(folder, 'containerd-mount'));
  try {
    calls.mount({
      source: mount.source,
      target,
      type: mount.type,
      flags: 0,
      data: mount.options.join(','),
    });
    try {
      return await work(target);
    } finally {
      calls.unmount(target, 0);
    }
  } finally {
    rmdirSync(target);
  }
};
