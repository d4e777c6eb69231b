/**
 * The words of `mounts[].options` → flags of mount(2), a propagation, and data for the filesystem.
 * OCI config.md#linux-mount-options, mount(8). Upstream: runc libcontainer/specconv/spec_linux.go.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import { MOUNT_ATTR, MS } from '../plan/constants.ts';
import { ID_MAP_OPTIONS, isIdMapOption } from './id-maps.ts';

/** attr_set and attr_clr of mount_setattr(2). */
export interface RecursiveAttributes {
  readonly set: number;
  readonly clear: number;
}

export interface MountOptions {
  readonly flags: number;
  /** MS_PRIVATE and the like are mount calls of their own. */
  readonly propagation: readonly number[];
  /** `mode=755,size=65536k` */
  readonly data: string;
  /** `rro`, `rnosuid` …: attributes of the mount and of everything below it; null when none is asked for. */
  readonly recursive: RecursiveAttributes | null;
  /** An id map is for everything below, too (`ridmap`). */
  readonly isMappedBelow: boolean;
  /** A tmpfs begins with what is in the folder that it is mounted on (`tmpcopyup`). */
  readonly copiesUp: boolean;
}

/** A word sets bits or clears them. */
const WORDS: Readonly<Record<string, { readonly set?: number; readonly clear?: number }>> = {
  defaults: {},
  async: { clear: MS.MS_SYNCHRONOUS },
  atime: { clear: MS.MS_NOATIME },
  bind: { set: MS.MS_BIND },
  dev: { clear: MS.MS_NODEV },
  diratime: { clear: MS.MS_NODIRATIME },
  dirsync: { set: MS.MS_DIRSYNC },
  exec: { clear: MS.MS_NOEXEC },
  iversion: { set: MS.MS_I_VERSION },
  lazytime: { set: MS.MS_LAZYTIME },
  loud: { clear: MS.MS_SILENT },
  mand: { set: MS.MS_MANDLOCK },
  noatime: { set: MS.MS_NOATIME },
  nodev: { set: MS.MS_NODEV },
  nodiratime: { set: MS.MS_NODIRATIME },
  noexec: { set: MS.MS_NOEXEC },
  noiversion: { clear: MS.MS_I_VERSION },
  nolazytime: { clear: MS.MS_LAZYTIME },
  nomand: { clear: MS.MS_MANDLOCK },
  norelatime: { clear: MS.MS_RELATIME },
  nostrictatime: { clear: MS.MS_STRICTATIME },
  nosuid: { set: MS.MS_NOSUID },
  nosymfollow: { set: MS.MS_NOSYMFOLLOW },
  rbind: { set: MS.MS_BIND | MS.MS_REC },
  relatime: { set: MS.MS_RELATIME },
  remount: { set: MS.MS_REMOUNT },
  ro: { set: MS.MS_RDONLY },
  rw: { clear: MS.MS_RDONLY },
  silent: { set: MS.MS_SILENT },
  strictatime: { set: MS.MS_STRICTATIME },
  suid: { clear: MS.MS_NOSUID },
  symfollow: { clear: MS.MS_NOSYMFOLLOW },
  sync: { set: MS.MS_SYNCHRONOUS },
};

const PROPAGATION: Readonly<Record<string, number>> = {
  private: MS.MS_PRIVATE,
  rprivate: MS.MS_PRIVATE | MS.MS_REC,
  slave: MS.MS_SLAVE,
  rslave: MS.MS_SLAVE | MS.MS_REC,
  shared: MS.MS_SHARED,
  rshared: MS.MS_SHARED | MS.MS_REC,
  unbindable: MS.MS_UNBINDABLE,
  runbindable: MS.MS_UNBINDABLE | MS.MS_REC,
};

const { MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC } = MOUNT_ATTR;
const { MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR__ATIME } = MOUNT_ATTR;

/** Access times are one of three ways, not a bit: the kernel wants the field cleared before it is set. */
const RECURSIVE: Readonly<Record<string, RecursiveAttributes>> = {
  rro: { set: MOUNT_ATTR_RDONLY, clear: 0 },
  rrw: { set: 0, clear: MOUNT_ATTR_RDONLY },
  rnosuid: { set: MOUNT_ATTR_NOSUID, clear: 0 },
  rsuid: { set: 0, clear: MOUNT_ATTR_NOSUID },
  rnodev: { set: MOUNT_ATTR_NODEV, clear: 0 },
  rdev: { set: 0, clear: MOUNT_ATTR_NODEV },
  rnoexec: { set: MOUNT_ATTR_NOEXEC, clear: 0 },
  rexec: { set: 0, clear: MOUNT_ATTR_NOEXEC },
  rnodiratime: { set: MOUNT_ATTR_NODIRATIME, clear: 0 },
  rdiratime: { set: 0, clear: MOUNT_ATTR_NODIRATIME },
  rrelatime: { set: 0, clear: MOUNT_ATTR__ATIME },
  rnorelatime: { set: 0, clear: MOUNT_ATTR__ATIME },
  rnoatime: { set: MOUNT_ATTR.MOUNT_ATTR_NOATIME, clear: MOUNT_ATTR__ATIME },
  ratime: { set: 0, clear: MOUNT_ATTR__ATIME },
  rstrictatime: { set: MOUNT_ATTR.MOUNT_ATTR_STRICTATIME, clear: MOUNT_ATTR__ATIME },
  rnostrictatime: { set: 0, clear: MOUNT_ATTR__ATIME },
  rnosymfollow: { set: MOUNT_ATTR_NOSYMFOLLOW, clear: 0 },
  rsymfollow: { set: 0, clear: MOUNT_ATTR_NOSYMFOLLOW },
};

/** The later word wins, as with the flags that are not recursive. */
const combine = (
  before: RecursiveAttributes | null,
  { set, clear }: RecursiveAttributes,
): RecursiveAttributes => ({
  set: ((before?.set ?? 0) & ~clear) | set,
  clear: ((before?.clear ?? 0) & (~set | MOUNT_ATTR__ATIME)) | clear,
});

const COPY_UP = 'tmpcopyup';

export const parseMountOptions = (words: readonly string[]): MountOptions => {
  let flags = 0;
  const propagation: number[] = [];
  const data: string[] = [];
  let isMappedBelow = false;
  let copiesUp = false;
  let recursive: RecursiveAttributes | null = null;
  for (const word of words) {
    const bits = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    const attributes = Object.hasOwn(RECURSIVE, word) ? RECURSIVE[word] : undefined;
    const kind = Object.hasOwn(PROPAGATION, word) ? PROPAGATION[word] : undefined;
    if (bits) flags = (flags | (bits.set ?? 0)) & ~(bits.clear ?? 0);
    else if (kind !== undefined) propagation.push(kind);
    else if (attributes) recursive = combine(recursive, attributes);
    else if (isIdMapOption(word)) isMappedBelow = word === 'ridmap';
    else if (word === COPY_UP) copiesUp = true;
    else data.push(word);
  }
  return { flags, propagation, data: data.join(','), recursive, isMappedBelow, copiesUp };
};

/** Every word that is not handed on to the filesystem, for `runc features`. */
export const mountOptionWords = (): readonly string[] =>
  [
    ...[WORDS, PROPAGATION, RECURSIVE].flatMap((words) => Object.keys(words)),
    ...ID_MAP_OPTIONS,
    COPY_UP,
  ].sort();

/** The propagation of the whole tree that init sees, `linux.rootfsPropagation`. */
export const parseRootfsPropagation = (word: string | undefined): number | undefined => {
  if (word === undefined || word === '') return undefined;
  const propagation = Object.hasOwn(PROPAGATION, word) ? PROPAGATION[word] : undefined;
  if (propagation === undefined)
    throw new EngineError('invalid_argument', `rootfsPropagation ${word} is not known`);
  return propagation;
};
