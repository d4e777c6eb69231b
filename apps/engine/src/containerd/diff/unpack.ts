/**
 * Writes the entries of a layer into a folder: files, folders, links, devices, with owner, mode and times.
 *
 * A layer is a tar of changes. `.wh.NAME` deletes what a lower layer has under NAME; `.wh..wh..opq` hides everything
 * that lower layers have in its folder. The folder here is a mounted snapshot, so deleting is really deleting: when it
 * is an overlay, the kernel writes the whiteout into the upper folder.
 * Spec: https://github.com/opencontainers/image-spec/blob/main/layer.md. Upstream: containerd pkg/archive.
 */
import { constants, lstatSync, type Stats } from 'node:fs';
import { chmod, lchown, link, lutimes, mkdir, open, readdir, rm, symlink } from 'node:fs/promises';
import { posix } from 'node:path';
import type { Header } from 'tar-stream';
import { EngineError } from '../../protocol/errdefs.ts';
import { codeOf, splitPath, type ContainedRoot, type Place } from './contained-root.ts';

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** Leftovers of AUFS that old layers carry. They mean nothing here. */
const AUFS_METADATA = '.wh..wh.';

/** What Node has no call for. */
export interface SpecialFiles {
  /** mknod(2). The path's last component is not followed. */
  makeDevice(
    path: string,
    type: 'c' | 'b',
    device: { major: number; minor: number },
  ): Promise<void> | void;
  /** mkfifo(3). */
  makeFifo(path: string, mode: number): void;
  /** lsetxattr(2); false when there is no way to set it. */
  setAttribute(path: string, name: string, value: Uint8Array): boolean;
}

export class Unpacker {
  /** Extended attributes (file capabilities) that were not set. */
  skippedAttributes = 0;
  readonly #root: ContainedRoot;
  readonly #special: SpecialFiles;
  /** What this very layer brought: an opaque marker must not hide it. */
  readonly #unpacked = new Set<string>();
  /** Writing into a folder changes its time, so folders get theirs at the end. */
  readonly #folderTimes = new Map<string, Date>();

  constructor(root: ContainedRoot, special: SpecialFiles) {
    this.#root = root;
    this.#special = special;
  }

  async entry(header: Header, body: AsyncIterable<unknown>): Promise<void> {
    const path = splitPath(header.name).join('/');
    if (path === '') return this.#rootFolder(header);
    const name = posix.basename(path);
    if (name === OPAQUE) return this.#hideLower(posix.dirname(path));
    if (name.startsWith(AUFS_METADATA)) return;
    if (name.startsWith(WHITEOUT)) return this.#whiteout(path, name);
    await this.#root.at(path, { create: true }, async (place) => {
      await this.#makeRoom(place, header);
      await this.#make(place, header, body);
      await this.#attributes(place, header);
    });
    this.#unpacked.add(path);
    if (header.type === 'directory') this.#folderTimes.set(path, header.mtime);
    else this.#folderTimes.delete(path);
  }

  /** After the last entry. */
  async finish(): Promise<void> {
    for (const [path, time] of [...this.#folderTimes].reverse()) {
      await this.#root.at(path, { create: false }, ({ path: place }) => setTime(place, time));
    }
  }

  async #rootFolder(header: Header): Promise<void> {
    const { path } = this.#root;
    if (header.type !== 'directory')
      throw new EngineError('invalid_argument', 'the root of a layer must be a folder');
    await lchown(path, ownerOf(header).uid, ownerOf(header).gid);
    await chmod(path, modeOf(header));
  }

  /** The newer entry wins; only a folder over a folder keeps what is there. */
  async #makeRoom({ path }: Place, { type }: Header): Promise<void> {
    const existing = statOf(path);
    if (!existing || (existing.isDirectory() && type === 'directory')) return;
    await rm(path, { recursive: true, force: true });
  }

  async #make({ path }: Place, header: Header, body: AsyncIterable<unknown>): Promise<void> {
    switch (header.type) {
      case 'directory':
        return makeFolder(path);
      case 'file':
      case 'contiguous-file':
        return writeFile(path, body);
      case 'symlink':
        // Its text is nobody's business here: it is followed inside the root only, by `ContainedRoot` and the container.
        return symlink(header.linkname, path);
      case 'link':
        return this.#root.at(header.linkname, { create: false }, (target) =>
          link(target.path, path),
        );
      case 'fifo':
        return this.#special.makeFifo(path, modeOf(header));
      case 'character-device':
      case 'block-device':
        await this.#special.makeDevice(path, header.type === 'block-device' ? 'b' : 'c', {
          major: header.devmajor,
          minor: header.devminor,
        });
        return;
      default:
        throw new EngineError(
          'invalid_argument',
          `unhandled tar header type ${String(header.type)}`,
        );
    }
  }

  async #attributes({ path }: Place, header: Header): Promise<void> {
    // A hard link shares the attributes of what it links to.
    if (header.type === 'link') return;
    const { uid, gid } = ownerOf(header);
    await lchown(path, uid, gid);
    for (const [key, value] of Object.entries(paxOf(header))) {
      if (key.startsWith(XATTR_PREFIX)) {
        const isSet = this.#special.setAttribute(
          path,
          key.slice(XATTR_PREFIX.length),
          Buffer.from(value),
        );
        if (!isSet) this.skippedAttributes += 1;
      }
    }
    // chown(2) clears setuid, so the mode comes after it. A link has no mode of its own.
    if (header.type !== 'symlink') await chmod(path, modeOf(header));
    if (header.type !== 'directory') await setTime(path, header.mtime);
  }

  async #whiteout(path: string, name: string): Promise<void> {
    const hidden = name.slice(WHITEOUT.length);
    if (hidden === '' || hidden === '.' || hidden === '..') {
      throw new EngineError('invalid_argument', `invalid whiteout name: ${name}`);
    }
    const target = posix.join(posix.dirname(path), hidden);
    await this.#root
      .at(target, { create: false }, (place) => rm(place.path, { recursive: true, force: true }))
      .catch((error: unknown) => {
        // Its folder is not there either: nothing to hide.
        if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
      });
  }

  /** Removes what lower layers have in the folder, and leaves what this layer brought. */
  async #hideLower(folder: string): Promise<void> {
    const names = await this.#names(folder);
    for (const name of names) {
      const path = folder === '.' ? name : `${folder}/${name}`;
      if (!this.#unpacked.has(path)) {
        await this.#root.at(path, { create: false }, (place) =>
          rm(place.path, { recursive: true, force: true }),
        );
      } else if (await this.#isFolder(path)) await this.#hideLower(path);
    }
  }

  async #names(folder: string): Promise<string[]> {
    if (folder === '.') return readdir(this.#root.path);
    return this.#root.at(folder, { create: true }, ({ path }) =>
      statOf(path)?.isDirectory() ? readdir(path) : [],
    );
  }

  async #isFolder(path: string): Promise<boolean> {
    return this.#root.at(
      path,
      { create: false },
      (place) => statOf(place.path)?.isDirectory() ?? false,
    );
  }
}

const XATTR_PREFIX = 'SCHILY.xattr.';

const makeFolder = async (path: string): Promise<void> => {
  if (!statOf(path)) await mkdir(path, { mode: 0o755 });
};

/** O_EXCL | O_NOFOLLOW: the file is new, and it is where we think it is. */
const writeFile = async (path: string, body: AsyncIterable<unknown>): Promise<void> => {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  try {
    for await (const chunk of body) await file.appendFile(chunk as Buffer);
  } finally {
    await file.close();
  }
};

const setTime = async (path: string, time: Date): Promise<void> => {
  await lutimes(path, time, time);
};

const statOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

const modeOf = ({ mode }: Header): number => mode & 0o7777;

/** Large ids do not fit the old header and come as PAX records. */
const ownerOf = (header: Header): { uid: number; gid: number } => {
  const pax = paxOf(header);
  return { uid: numberIn(pax['uid']) ?? header.uid, gid: numberIn(pax['gid']) ?? header.gid };
};

const paxOf = ({ pax }: Header): Readonly<Record<string, string>> =>
  typeof pax === 'object' && pax !== null ? (pax as Readonly<Record<string, string>>) : {};

const numberIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
