/**
 * The file system of a container as a folder that no path leads out of.
 *
 * Every name of a path is opened by itself, without following links, relative to the descriptor of the folder before
 * it (`/proc/self/fd/<n>/name` does for openat(2)). A link is read and its text walked by the same rules: `/` is this
 * root and `..` stops at it. That is what the container itself would see, and as a descriptor cannot be swapped, a
 * container that changes links meanwhile gains nothing.
 * path_resolution(7), proc_pid_fd(5), openat2(2) RESOLVE_IN_ROOT. Upstream: moby daemon/archive_unix.go,
 * github.com/moby/sys/symlink.
 */
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  fstatSync,
  type Stats,
} from 'node:fs';
import { posix } from 'node:path';
import { EngineError } from '../../protocol/errdefs.ts';

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** What the kernel allows for one path. path_resolution(7). */
const MAX_LINKS = 40;
const MAX_PATH_BYTES = 4096;

/** What a path led to. */
export interface Place {
  /** A path of this process that is led astray by nobody, as long as its last name is not followed. */
  readonly path: string;
  /** Absolute, as the container would say it, without links. */
  readonly inside: string;
  readonly name: string;
  /** Undefined where nothing is; its folder exists. */
  readonly stats: Stats | undefined;
}

export interface LookOptions {
  /** Whether a link at the end of the path is followed. */
  readonly followsLast: boolean;
  /** Makes the folders that are missing on the way. */
  readonly makesFolders?: boolean;
}

const noSuch = (path: string): EngineError =>
  new EngineError('not_found', `lstat ${path}: no such file or directory`);

export class ContainedRoot {
  readonly #root: number;

  /** `path` is trusted: a folder of ours, or `/proc/<pid>/root`. */
  constructor(path: string) {
    this.#root = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  close(): void {
    closeSync(this.#root);
  }

  /** Looks where `path` leads, and lets `work` use the place for as long as it runs. */
  async at<T>(
    path: string,
    options: LookOptions,
    work: (place: Place) => T | Promise<T>,
  ): Promise<T> {
    const folders: Folder[] = [{ fd: this.#root, name: '' }];
    try {
      return await work(walk(path, folders, options));
    } finally {
      for (const { fd } of folders.slice(1)) closeSync(fd);
    }
  }

  /** At most `limit` bytes of a regular file; undefined when there is none. */
  read(path: string, limit: number): Promise<string | undefined> {
    return this.at(path, { followsLast: true }, (place) => {
      if (!place.stats?.isFile()) return undefined;
      const fd = openSync(place.path, FILE);
      try {
        if (!fstatSync(fd).isFile()) return undefined;
        const buffer = Buffer.alloc(limit);
        return buffer.toString('utf8', 0, readSync(fd, buffer, 0, limit, 0));
      } finally {
        closeSync(fd);
      }
    }).catch(() => undefined);
  }
}

/** An open folder on the way. */
interface Folder {
  readonly fd: number;
  readonly name: string;
}

/** Leaves the open folders of the way in `folders`, the last one on top; the caller closes them. */
const walk = (
  path: string,
  folders: Folder[],
  { followsLast, makesFolders = false }: LookOptions,
): Place => {
  if (path.includes('\0') || Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new EngineError('invalid_argument', 'invalid path: it has a zero byte or is too long');
  }
  const pending = path.split('/');
  let links = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (folders.length > 1) closeSync(folders.pop()?.fd ?? -1);
      continue;
    }
    const isLast = pending.every((rest) => rest === '' || rest === '.');
    const found = placeOf(folders, name);
    if (found.stats?.isSymbolicLink() && !(isLast && !followsLast)) {
      if (++links > MAX_LINKS) {
        throw new EngineError(
          'invalid_argument',
          `lstat ${path}: too many levels of symbolic links`,
        );
      }
      const target = readlinkSync(found.path);
      if (target.startsWith('/')) for (const { fd } of folders.splice(1)) closeSync(fd);
      pending.unshift(...target.split('/'));
      continue;
    }
    if (isLast && !found.stats?.isDirectory()) return found;
    if (!found.stats && makesFolders) mkdirSync(found.path, { mode: 0o755 });
    else if (!found.stats) throw noSuch(path);
    else if (!found.stats.isDirectory()) {
      throw new EngineError('invalid_argument', `lstat ${path}: not a directory`);
    }
    folders.push({ fd: openSync(found.path, FOLDER), name });
  }
  const [, ...inside] = folders.map(({ name }) => name);
  const top = folders.at(-1)?.fd ?? -1;
  return {
    path: `/proc/self/fd/${top}/.`,
    inside: `/${inside.join('/')}`,
    name: inside.at(-1) ?? '/',
    stats: fstatSync(top),
  };
};

const placeOf = (folders: readonly Folder[], name: string): Place => {
  const path = `/proc/self/fd/${folders.at(-1)?.fd ?? -1}/${name}`;
  const [, ...above] = folders.map((folder) => folder.name);
  return {
    path,
    inside: posix.join('/', ...above, name),
    name,
    stats: lstatSync(path, { throwIfNoEntry: false }),
  };
};
