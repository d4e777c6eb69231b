/**
 * A tar into a folder of a container, for `docker cp`. The container may run, and change links while we write: every
 * place is looked up anew, inside its root. See tar(5). Upstream: github.com/moby/go-archive Unpack.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { chmod, lchown, link, lutimes, mkdir, rm, symlink, utimes } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Extract, type Header } from 'tar-stream';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import type { ContainedRoot, Place } from './contained-root.ts';

export interface UnpackOptions {
  /** Absolute, as the container says it. */
  readonly folder: string;
  /** A folder never takes the place of something else, nor the other way round. */
  readonly keepsKinds: boolean;
  /** Whose everything becomes; null keeps what the archive says. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  readonly makeFifo: (path: string, mode: number) => void;
}

type Entry = Extract extends AsyncIterable<infer Source> ? Source : never;

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export const unpackTar = async (
  archive: Readable,
  root: ContainedRoot,
  options: UnpackOptions,
): Promise<void> => {
  const tar = extract();
  // Errors reach the loop below, which reads the same stream.
  const feeding = pipeline(archive, tar).catch((error: unknown) => error);
  /** Writing into a folder changes its time, so folders get theirs at the end. */
  const folderTimes = new Map<string, Date>();
  try {
    for await (const entry of tar) {
      const { header } = entry;
      const name = inside(header.name, options.folder);
      if (name === '') entry.resume();
      else
        await root.at(
          posix.join(options.folder, name),
          { followsLast: false, makesFolders: true },
          async (place) => {
            try {
              await makeRoom(place, header, options);
              await make(place, entry, root, options);
              await setAttributes(place, header, options);
            } catch (error) {
              throw named(place, error);
            }
            if (header.type === 'directory')
              folderTimes.set(place.inside, header.mtime ?? new Date());
          },
        );
    }
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError('invalid_argument', messageOf(error), { cause: error });
  }
  const failed: unknown = await feeding;
  if (failed !== undefined) throw new EngineError('invalid_argument', messageOf(failed));
  for (const [path, time] of [...folderTimes].reverse()) {
    await root.at(path, { followsLast: false }, (place) => utimes(place.path, time, time));
  }
};

/** The kernel's reason, with the path as the container knows it. */
const named = ({ inside: path }: Place, error: unknown): unknown => {
  const [, reason] = /^E[A-Z0-9]+: ([^,]+)/.exec(messageOf(error)) ?? [];
  return reason === undefined || error instanceof EngineError
    ? error
    : new EngineError('invalid_argument', `${path}: ${reason}`, { cause: error });
};

/** What climbs out of the folder is refused; the root would hold it anyway. */
const inside = (name: string, folder: string): string => {
  const relative = posix.normalize(`./${name}`).replace(/\/$/, '');
  if (relative === '..' || relative.startsWith('../')) {
    throw new EngineError('invalid_argument', `"${name}" is outside of "${folder}"`);
  }
  return relative === '.' ? '' : relative;
};

const makeRoom = async (
  { path, stats, name }: Place,
  { type }: Header,
  { keepsKinds }: UnpackOptions,
): Promise<void> => {
  if (!stats) return;
  const isFolder = type === 'directory';
  if (stats.isDirectory() && isFolder) return;
  if (keepsKinds && stats.isDirectory()) {
    throw new EngineError(
      'invalid_argument',
      `cannot overwrite directory "${name}" with non-directory`,
    );
  }
  if (keepsKinds && isFolder) {
    throw new EngineError(
      'invalid_argument',
      `cannot overwrite non-directory "${name}" with directory`,
    );
  }
  await rm(path, { recursive: true, force: true });
};

const make = async (
  place: Place,
  entry: Entry,
  root: ContainedRoot,
  options: UnpackOptions,
): Promise<void> => {
  const { header } = entry;
  const { path, stats } = place;
  switch (header.type) {
    case 'file':
    case 'contiguous-file': {
      const fd = openSync(path, NEW_FILE, 0o600);
      await pipeline(entry, createWriteStream('', { fd }));
      return;
    }
    case 'directory':
      if (!stats?.isDirectory()) await mkdir(path, { mode: 0o755 });
      break;
    case 'symlink':
      await symlink(header.linkname ?? '', path);
      break;
    case 'link':
      await root.at(
        posix.join(options.folder, inside(header.linkname ?? '', options.folder)),
        { followsLast: false },
        (target) => link(target.path, path),
      );
      break;
    case 'fifo':
      options.makeFifo(path, 0o600);
      break;
    default:
      throw new EngineError(
        'not_implemented',
        `"${header.name}" is a ${String(header.type)}: copying devices is not supported by this daemon yet`,
      );
  }
  entry.resume();
};

const setAttributes = async (
  { path }: Place,
  { type, mode, uid, gid, mtime }: Header,
  { owner }: UnpackOptions,
): Promise<void> => {
  // A second name of a file that has its attributes already.
  if (type === 'link') return;
  await lchown(path, owner?.uid ?? uid ?? 0, owner?.gid ?? gid ?? 0);
  const time = mtime ?? new Date();
  if (type === 'symlink') {
    await lutimes(path, time, time);
    return;
  }
  // By descriptor where it can be: a running container might put a link in its place.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const own = `/proc/self/fd/${fd}`;
    // After the owner: changing that takes set-uid away.
    await chmod(own, (mode ?? 0o644) & 0o7777);
    await utimes(own, time, time);
  } finally {
    closeSync(fd);
  }
};
