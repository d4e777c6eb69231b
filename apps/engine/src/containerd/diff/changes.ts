/**
 * What is different between two trees: the layer that leads from the lower one to the upper one.
 *
 * Both are walked side by side. Folders are opened without following links and files are named through their folder's
 * descriptor, because a container may still be running in the upper tree and move things about.
 * Upstream: containerd/continuity fs/diff.go (a double walk, whatever the snapshotter).
 */
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  type BigIntStats,
} from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { EngineError } from '../../protocol/errdefs.ts';

export type Change =
  | { readonly kind: 'delete'; readonly path: string }
  | {
      /** `parent`: a folder that is as it was, named because something below it is not. */
      readonly kind: 'add' | 'modify' | 'parent';
      readonly path: string;
      readonly stat: BigIntStats;
      /** Where the thing is, through the descriptor of its folder; valid until the next change is asked for. */
      readonly place: string;
    };

export interface AttributeReader {
  readonly listAttributes: (path: string) => string[];
  readonly getAttribute: (path: string, name: string) => Uint8Array;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Each level keeps two descriptors open. */
const MAX_DEPTH = 500;
const CAPABILITY = 'security.capability';

/** `lower` undefined: everything is new. */
export async function* changesBetween(
  lower: string | undefined,
  upper: string,
  attributes: AttributeReader,
): AsyncGenerator<Change> {
  const folders = [lower, upper].map((path) =>
    path === undefined ? undefined : openSync(path, constants.O_RDONLY | constants.O_DIRECTORY),
  );
  try {
    yield* walk({ lower: folders[0], upper: folders[1] ?? -1, path: '', depth: 0, attributes });
  } finally {
    for (const folder of folders) if (folder !== undefined) closeSync(folder);
  }
}

interface Step {
  readonly lower: number | undefined;
  readonly upper: number;
  readonly path: string;
  readonly depth: number;
  readonly attributes: AttributeReader;
}

async function* walk(step: Step): AsyncGenerator<Change> {
  const { lower, upper, path, depth } = step;
  if (depth > MAX_DEPTH)
    throw new EngineError(
      'failed_precondition',
      `more than ${MAX_DEPTH} folders inside each other`,
    );
  const names = new Set([...namesIn(upper), ...(lower === undefined ? [] : namesIn(lower))]);
  for (const name of [...names].sort()) {
    const place = `/proc/self/fd/${upper}/${name}`;
    const lowerPlace = lower === undefined ? undefined : `/proc/self/fd/${lower}/${name}`;
    const stat = statOf(place);
    const before = lowerPlace === undefined ? undefined : statOf(lowerPlace);
    const at = path === '' ? name : `${path}/${name}`;
    if (!stat) {
      if (before) yield { kind: 'delete', path: at };
      continue;
    }
    const isSame =
      before !== undefined &&
      (await areSame({ stat, place }, { stat: before, place: lowerPlace ?? '' }, step.attributes));
    if (!isSame) yield { kind: before ? 'modify' : 'add', path: at, stat, place };
    if (!stat.isDirectory()) continue;
    const folders = { upper: place, lower: before?.isDirectory() ? lowerPlace : undefined };
    let isTold = !isSame;
    for await (const change of inside(step, at, folders)) {
      if (!isTold) yield { kind: 'parent', path: at, stat, place };
      isTold = true;
      yield change;
    }
  }
}

async function* inside(
  { depth, attributes }: Step,
  path: string,
  places: { readonly upper: string; readonly lower: string | undefined },
): AsyncGenerator<Change> {
  const upper = openFolder(places.upper);
  if (upper === undefined) return;
  const lower = places.lower === undefined ? undefined : openFolder(places.lower);
  try {
    yield* walk({ lower, upper, path, depth: depth + 1, attributes });
  } finally {
    closeSync(upper);
    if (lower !== undefined) closeSync(lower);
  }
}

/** Undefined when it is gone, or no folder any more. */
const openFolder = (place: string): number | undefined => {
  try {
    return openSync(place, FOLDER);
  } catch {
    return undefined;
  }
};

const namesIn = (folder: number): string[] => readdirSync(`/proc/self/fd/${folder}`);

const statOf = (place: string): BigIntStats | undefined =>
  lstatSync(place, { bigint: true, throwIfNoEntry: false });

interface Item {
  readonly stat: BigIntStats;
  readonly place: string;
}

const areSame = async (upper: Item, lower: Item, attributes: AttributeReader): Promise<boolean> => {
  const [a, b] = [upper.stat, lower.stat];
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.rdev !== b.rdev) return false;
  if (capabilityOf(upper.place, attributes) !== capabilityOf(lower.place, attributes)) return false;
  if (a.isDirectory()) return true;
  if (a.isSymbolicLink()) return readlinkSync(upper.place) === readlinkSync(lower.place);
  // One inode, seen twice: nothing has happened to it.
  if (a.ino === b.ino && a.ctimeNs === b.ctimeNs) return true;
  if (a.size !== b.size || a.mtimeNs !== b.mtimeNs) return false;
  // A time of whole seconds came out of a tar: it says little.
  if (!a.isFile() || a.mtimeNs % 1_000_000_000n !== 0n) return true;
  return haveSameBytes(upper.place, lower.place);
};

const capabilityOf = (place: string, { getAttribute }: AttributeReader): string => {
  try {
    return Buffer.from(getAttribute(place, CAPABILITY)).toString('hex');
  } catch {
    return '';
  }
};

const COMPARE_BYTES = 256 * 1024;

/** Either may have gone meanwhile, of a container that runs. */
const haveSameBytes = async (left: string, right: string): Promise<boolean> => {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const one = await open(left, flags);
  try {
    const other = await open(right, flags);
    try {
      return await areAlike(one, other);
    } finally {
      await other.close();
    }
  } finally {
    await one.close();
  }
};

const areAlike = async (one: FileHandle, other: FileHandle): Promise<boolean> => {
  const buffers = [Buffer.alloc(COMPARE_BYTES), Buffer.alloc(COMPARE_BYTES)] as const;
  for (let at = 0; ; at += COMPARE_BYTES) {
    const [a, b] = await Promise.all([
      one.read(buffers[0], 0, COMPARE_BYTES, at),
      other.read(buffers[1], 0, COMPARE_BYTES, at),
    ]);
    const bytes = [buffers[0].subarray(0, a.bytesRead), buffers[1].subarray(0, b.bytesRead)];
    if (!bytes[0]?.equals(bytes[1] ?? new Uint8Array())) return false;
    if (a.bytesRead < COMPARE_BYTES) return true;
  }
};
