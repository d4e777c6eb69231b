/**
 * Goes through a folder and all that is below it, each folder by its own descriptor: whoever changes the tree meanwhile
 * can hide things from the walk, never lead it out. See openat(2), proc_pid_fd(5).
 */
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  type Stats,
} from 'node:fs';
import { posix } from 'node:path';

export interface TreeEntry {
  /** Below the top; empty for the top itself. */
  readonly name: string;
  readonly stats: Stats;
  /** Valid until the next entry is asked for; its last name must not be followed. */
  readonly path: string;
  /** Of a symbolic link. */
  readonly target?: string;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Depth first, by name. `enters` says whether to look into a folder. */
export function* walkTree(
  top: string,
  enters: (entry: TreeEntry) => boolean = () => true,
): Generator<TreeEntry> {
  yield* walk(top, '', enters);
}

function* walk(
  path: string,
  name: string,
  enters: (entry: TreeEntry) => boolean,
): Generator<TreeEntry> {
  const entry = entryAt(path, name);
  if (!entry) return;
  yield entry;
  if (!entry.stats.isDirectory() || !enters(entry)) return;
  const folder = orGone(() => openSync(path, FOLDER));
  if (folder === undefined) return;
  try {
    for (const child of readdirSync(`/proc/self/fd/${folder}`).sort()) {
      yield* walk(`/proc/self/fd/${folder}/${child}`, posix.join(name, child), enters);
    }
  } finally {
    closeSync(folder);
  }
}

const entryAt = (path: string, name: string): TreeEntry | undefined =>
  orGone(() => {
    const stats = lstatSync(path);
    return stats.isSymbolicLink()
      ? { name, stats, path, target: readlinkSync(path) }
      : { name, stats, path };
  });

/** What is gone or has become something else between two looks was not there. */
const orGone = <T>(look: () => T): T | undefined => {
  try {
    return look();
  } catch (error) {
    if (
      ['ENOENT', 'ENOTDIR', 'ELOOP', 'EINVAL'].includes(String(Reflect.get(Object(error), 'code')))
    ) {
      return undefined;
    }
    throw error;
  }
};
