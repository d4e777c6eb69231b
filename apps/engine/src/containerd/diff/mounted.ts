/**
 * Makes the mounts of a snapshot one folder, for as long as a layer is applied to it or read out of it.
 *
 * A bind mount is its source; an overlay is really mounted, at a temporary place, so that the kernel itself
 * writes whiteouts into the upper folder. mount(2), umount2(2).
 */
import { mkdtempSync, rmdirSync, rmSync } from 'node:fs';
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

/** Runs `work` on the folder that the mounts show, for writing. */
export const withMounted = async <T>(
  mounts: readonly Mount[],
  options: MountedOptions,
  work: (target: string) => Promise<T>,
): Promise<T> => {
  const mount = theOnly(mounts);
  if (mount.options.includes('ro'))
    throw failedPrecondition('cannot apply a layer to a read-only snapshot');
  if (mount.type === 'bind') return work(sourceOf(mount));
  return withWritable(mount, options, work);
};

/**
 * `volatile`: else the end of the mount would wait until everything of its file system is on disk, which nobody asked
 * for; like the real one, containerd unpacks without fsync. The kernel marks the work folder, so that a crash is
 * noticed at the next mount. For us a layer that is not committed is unpacked anew, so the mark means nothing.
 */
const withWritable = async <T>(
  { options }: Mount,
  mounted: MountedOptions,
  work: (target: string) => Promise<T>,
): Promise<T> => {
  const workFolder = optionOf(options, 'workdir');
  const unmark = (): void => {
    if (workFolder) rmSync(join(workFolder, 'work/incompat'), { recursive: true, force: true });
  };
  unmark();
  try {
    return await withOverlay({ flags: 0, data: [...options, 'volatile'].join(',') }, mounted, work);
  } finally {
    unmark();
  }
};

const optionOf = (options: readonly string[], name: string): string | undefined =>
  options.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);

const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;

/**
 * For reading. The upper folder becomes the uppermost of the lower ones: it may be mounted for writing elsewhere, by a
 * container, and a second writable mount of it is not allowed.
 */
export const withView = async <T>(
  mounts: readonly Mount[],
  options: MountedOptions,
  work: (target: string) => Promise<T>,
): Promise<T> => {
  const mount = theOnly(mounts);
  if (mount.type === 'bind') return work(sourceOf(mount));
  const layers = ['upperdir', 'lowerdir']
    .map((name) => optionOf(mount.options, name))
    .filter((each) => each !== undefined);
  const flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  return withOverlay({ flags, data: `lowerdir=${layers.join(':')}` }, options, work);
};

const theOnly = (mounts: readonly Mount[]): Mount => {
  const [mount, ...others] = mounts;
  if (!mount || others.length > 0)
    throw invalidArgument(`expected exactly one mount, not ${mounts.length}`);
  if (mount.type !== 'bind' && mount.type !== 'overlay')
    throw invalidArgument(`cannot use a mount of type "${mount.type}"`);
  return mount;
};

const sourceOf = ({ source }: Mount): string => {
  if (!isAbsolute(source))
    throw invalidArgument(`source of a bind mount must be absolute: ${source}`);
  return source;
};

const withOverlay = async <T>(
  { flags, data }: { flags: number; data: string },
  { calls, folder }: MountedOptions,
  work: (target: string) => Promise<T>,
): Promise<T> => {
  const target = mkdtempSync(join(folder, 'containerd-mount'));
  try {
    calls.mount({ source: 'overlay', target, type: 'overlay', flags, data });
    try {
      return await work(target);
    } finally {
      calls.unmount(target, 0);
    }
  } finally {
    rmdirSync(target);
  }
};
