/**
 * A folder that hostile paths cannot leave.
 *
 * Every component of a path is opened by itself, without following links (O_NOFOLLOW), relative to the descriptor of
 * the component before it (`/proc/self/fd/<n>/name` does for openat(2)). A symbolic link is read and its text walked
 * by the same rules, so `/` means this root and `..` stops at it: what the container itself would see.
 * Nobody can swap a folder for a link in between, because a descriptor cannot be swapped.
 * Linux: path_resolution(7), proc_pid_fd(5). Upstream: containerd/continuity fs/path.go (RootPath).
 */
import { closeSync, constants, lstatSync, mkdirSync, openSync, readlinkSync } from 'node:fs';
import { EngineError } from '../../protocol/errdefs.ts';

const FOLDER_FLAGS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** What the kernel allows for one path. path_resolution(7). */
const MAX_LINKS = 40;
const MAX_PATH_LENGTH = 4096;

/** A place in the tree: an open folder and a name in it. */
export interface Place {
  /** `/proc/self/fd/<n>/<name>`: a path that cannot be led astray, as long as the last component is not followed. */
  readonly path: string;
  readonly name: string;
}

export class ContainedRoot {
  readonly #root: number;

  constructor(path: string) {
    this.#root = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** The root itself, by its descriptor. */
  get path(): string {
    return `/proc/self/fd/${this.#root}`;
  }

  close(): void {
    closeSync(this.#root);
  }

  /**
   * Runs `work` at the place that `path` names. Missing folders on the way are made (0755) when `create` is set.
   * The last component is not looked at; it may be a link, and must then not be followed.
   */
  async at<T>(
    path: string,
    { create }: { create: boolean },
    work: (place: Place) => T | Promise<T>,
  ): Promise<T> {
    const parts = splitPath(path);
    const name = parts.pop();
    if (name === undefined) throw new EngineError('invalid_argument', 'path names the root itself');
    const folders = [this.#root];
    try {
      this.#walk(parts, folders, { create, path });
      return await work({ path: `/proc/self/fd/${top(folders)}/${name}`, name });
    } finally {
      for (const folder of folders.slice(1)) closeSync(folder);
    }
  }

  /** Walks `parts`; leaves the open folders of the way in `folders`, the last one on top. */
  #walk(
    parts: readonly string[],
    folders: number[],
    { create, path }: { create: boolean; path: string },
  ): void {
    const pending = [...parts];
    let links = 0;
    for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        if (folders.length > 1) closeSync(folders.pop() ?? -1);
        continue;
      }
      const next = `/proc/self/fd/${top(folders)}/${part}`;
      const opened = openFolder(next, create);
      if (opened !== undefined) {
        folders.push(opened);
        continue;
      }
      links += 1;
      if (links > MAX_LINKS)
        throw new EngineError('invalid_argument', `too many links in "${path}"`);
      const target = readLink(next, path);
      if (target.startsWith('/')) for (const folder of folders.splice(1)) closeSync(folder);
      pending.unshift(...target.split('/'));
    }
  }
}

/** The components of a path in a layer. A path that climbs out of the layer is refused, even if it would come back. */
export const splitPath = (path: string): string[] => {
  if (path.length > MAX_PATH_LENGTH) throw new EngineError('invalid_argument', 'path is too long');
  if (path.includes('\0')) throw new EngineError('invalid_argument', 'path has a zero byte');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (parts.pop() === undefined)
        throw new EngineError(
          'invalid_argument',
          `invalid path in layer: "${path}" escapes the root`,
        );
    } else parts.push(part);
  }
  return parts;
};

/** The descriptor of the folder; undefined when a link is there. */
const openFolder = (path: string, create: boolean): number | undefined => {
  try {
    return openSync(path, FOLDER_FLAGS);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' && create) {
      mkdirSync(path, { mode: 0o755 });
      return openSync(path, FOLDER_FLAGS);
    }
    // Linux says ENOTDIR for a link with O_DIRECTORY, ELOOP without.
    if ((code === 'ENOTDIR' || code === 'ELOOP') && lstatSync(path).isSymbolicLink())
      return undefined;
    throw error;
  }
};

const readLink = (path: string, whole: string): string => {
  const target = readlinkSync(path);
  if (target === '') throw new EngineError('invalid_argument', `empty link in "${whole}"`);
  return target;
};

const top = (folders: readonly number[]): number => folders[folders.length - 1] ?? -1;

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
