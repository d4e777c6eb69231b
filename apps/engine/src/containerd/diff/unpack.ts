/**
 * Writes the entries of a layer into a folder: files, folders, links, devices, with owner, mode and times.
 *
 * A layer is a tar of changes. `.wh.NAME` deletes what a lower layer has under NAME; `.wh..wh..opq` hides everything
 * that lower layers have in its folder. The folder here is a mounted snapshot, so deleting is really deleting: when it
 * is an overlay, the kernel writes the whiteout into the upper folder.
 * The calls wait for the kernel: that is many times faster for small files, and containerd does it in a thread of its
 * own (`apply-thread.ts`).
 * Spec: https://github.com/opencontainers/image-spec/blob/main/layer.md. Upstream: containerd pkg/archive.
 */
import {
  chmodSync,
  closeSync,
  constants,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { posix } from 'node:path';
import type { Piece, TarEntry, TarHeader } from '../archive/tar-reader.ts';
import { invalidArgument } from '../errors.ts';
import { codeOf, splitPath, type ContainedRoot, type Place } from './contained-root.ts';

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** Leftovers of AUFS that old layers carry. They mean nothing here. */
const AUFS_METADATA = '.wh..wh.';

/** What Node has no call for. None of them follows a link at the end of the path. */
export interface SpecialFiles {
  /** mknod(2), with the type of the device in the mode. */
  readonly mknod: (path: string, mode: number, major: number, minor: number) => void;
  /** mkfifo(3). */
  readonly mkfifo: (path: string, mode: number) => void;
  /** lsetxattr(2). */
  readonly setAttribute: (path: string, name: string, value: Uint8Array) => void;
}

export class Unpacker {
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

  async entry({ header, data }: TarEntry): Promise<void> {
    const path = splitPath(header.name).join('/');
    if (path === '') return this.#rootFolder(header);
    const name = posix.basename(path);
    if (name === OPAQUE) return this.#hideLower(posix.dirname(path));
    if (name.startsWith(AUFS_METADATA)) return;
    if (name.startsWith(WHITEOUT)) return this.#whiteout(path, name);
    await this.#root.at(path, { create: true }, async (place) => {
      makeRoom(place, header);
      await this.#make(place, header, data);
      this.#attributes(place, header);
    });
    this.#unpacked.add(path);
    if (header.type === 'directory') this.#folderTimes.set(path, header.modifiedAt);
    else this.#folderTimes.delete(path);
  }

  /** After the last entry. */
  async finish(): Promise<void> {
    for (const [path, time] of [...this.#folderTimes].reverse()) {
      await this.#root.at(path, { create: false }, ({ path: place }) => setTime(place, time));
    }
  }

  #rootFolder({ type, uid, gid, mode }: TarHeader): void {
    const { path } = this.#root;
    if (type !== 'directory') throw invalidArgument('the root of a layer must be a folder');
    lchownSync(path, uid, gid);
    chmodSync(path, mode);
  }

  async #make({ path }: Place, header: TarHeader, data: AsyncIterable<Piece>): Promise<void> {
    switch (header.type) {
      case 'directory':
        return makeFolder(path);
      case 'file':
        return writeFile(path, header.sizeBytes, data);
      case 'symlink':
        // Its text is nobody's business here: it is followed inside the root only, by `ContainedRoot` and the container.
        return symlinkSync(header.linkName, path);
      case 'link':
        return this.#root.at(header.linkName, { create: false }, (target) =>
          linkSync(target.path, path),
        );
      case 'fifo':
        return this.#special.mkfifo(path, header.mode);
      case 'character-device':
      case 'block-device': {
        const type = header.type === 'block-device' ? constants.S_IFBLK : constants.S_IFCHR;
        return this.#special.mknod(path, type | header.mode, header.major, header.minor);
      }
    }
  }

  #attributes({ path }: Place, header: TarHeader): void {
    // A hard link shares the attributes of what it links to.
    if (header.type === 'link') return;
    lchownSync(path, header.uid, header.gid);
    // chown(2) clears setuid and file capabilities, so they come after it. A link has no mode of its own.
    if (header.type !== 'symlink') chmodSync(path, header.mode);
    for (const [name, value] of header.attributes) this.#attribute(path, name, value);
    if (header.type !== 'directory') setTime(path, header.modifiedAt);
  }

  /** `trusted.overlay.…` would speak to the kernel's overlay: a layer could hide or redirect what it wants. */
  #attribute(path: string, name: string, value: Buffer): void {
    if (name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')) return;
    try {
      this.#special.setAttribute(path, name, value);
    } catch (error) {
      // The file system has none, or none on such a file: as in containerd, the layer is unpacked without.
      if (
        codeOf(error) !== 'ENOTSUP' &&
        codeOf(error) !== 'EOPNOTSUPP' &&
        codeOf(error) !== 'EPERM'
      )
        throw error;
    }
  }

  async #whiteout(path: string, name: string): Promise<void> {
    const hidden = name.slice(WHITEOUT.length);
    if (hidden === '' || hidden === '.' || hidden === '..') {
      throw invalidArgument(`invalid whiteout name: ${name}`);
    }
    const target = posix.join(posix.dirname(path), hidden);
    await this.#root
      .at(target, { create: false }, (place) => remove(place.path))
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
        await this.#root.at(path, { create: false }, (place) => remove(place.path));
      } else if (await this.#isFolder(path)) await this.#hideLower(path);
    }
  }

  async #names(folder: string): Promise<string[]> {
    if (folder === '.') return readdirSync(this.#root.path);
    return this.#root.at(folder, { create: true }, ({ path }) =>
      statOf(path)?.isDirectory() ? readdirSync(path) : [],
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

/** The newer entry wins; only a folder over a folder keeps what is there. */
const makeRoom = ({ path }: Place, { type }: TarHeader): void => {
  const existing = statOf(path);
  if (!existing || (existing.isDirectory() && type === 'directory')) return;
  remove(path);
};

const remove = (path: string): void => rmSync(path, { recursive: true, force: true });

const makeFolder = (path: string): void => {
  if (!statOf(path)) mkdirSync(path, { mode: 0o755 });
};

/** O_EXCL | O_NOFOLLOW: the file is new, and it is where we think it is. */
const writeFile = async (
  path: string,
  sizeBytes: number,
  data: AsyncIterable<Piece>,
): Promise<void> => {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = openSync(path, flags, 0o600);
  try {
    let end = 0;
    for await (const { offset, bytes } of data) {
      for (let at = 0; at < bytes.length;)
        at += writeSync(file, bytes, at, bytes.length - at, offset + at);
      end = offset + bytes.length;
    }
    // A hole at the end has no piece behind it.
    if (end < sizeBytes) ftruncateSync(file, sizeBytes);
  } finally {
    closeSync(file);
  }
};

const setTime = (path: string, time: Date): void => lutimesSync(path, time, time);

const statOf = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });
