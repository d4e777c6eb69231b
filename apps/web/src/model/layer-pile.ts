/**
 * The layers of the run's image as far as the trace has told of them: how much of each has come, that it is what its
 * digest says, which folder it was unpacked into, and how these folders are piled up.
 */
import type {
  Attributes,
  SequencedEvent,
  SpanEvent,
  SpanStarted,
  SyscallEvent,
} from '@engine-room/engine/protocol/trace/event.ts';
import { shortDigest, snapshotNumber } from './layer-words.ts';

export interface LayerBlob {
  readonly bytes: number;
  readonly arrived: number;
  /** In the order of a layer's life. */
  readonly state: 'arriving' | 'verified' | 'unpacking' | 'unpacked';
  /** The number of the snapshot that it was unpacked into. */
  readonly snapshot: string | null;
}

export interface LayerPile {
  /** By digest, in the order in which they were first told of. */
  readonly blobs: Readonly<Record<string, LayerBlob>>;
  /** Numbers of snapshots: the writable one, and the read-only ones below it, uppermost first. */
  readonly upper: string | null;
  readonly lower: readonly string[];
  /** Where the whole pile is to be seen as one tree, once it is mounted. */
  readonly merged: string | null;
}

export const NO_LAYERS: LayerPile = { blobs: {}, upper: null, lower: [], merged: null };

/** Manifests and configurations come as blobs too, and are no layers. */
const SMALL_BYTES = 64 * 1024;

export const piled = (pile: LayerPile, event: SequencedEvent): LayerPile => {
  switch (event.type) {
    case 'spanStarted':
      return atBeginning(pile, event);
    case 'spanEvent':
      return atMoment(pile, event);
    case 'syscall':
      return atMount(pile, event);
    default:
      return pile;
  }
};

function atBeginning(pile: LayerPile, { name, attributes }: SpanStarted): LayerPile {
  switch (name) {
    case 'layer apply': {
      const snapshot = upperOf(attributes) ?? pile.upper;
      return withBlob(pile, attributes, { state: 'unpacking', snapshot });
    }
    case 'snapshot commit':
      if (pile.upper === null) return pile;
      return { ...pile, upper: null, lower: [pile.upper, ...pile.lower] };
    default:
      return name.startsWith('fetch ') && bytesOf(attributes) >= SMALL_BYTES
        ? withBlob(pile, attributes, { state: 'arriving' })
        : pile;
  }
}

function atMoment(pile: LayerPile, { name, attributes }: SpanEvent): LayerPile {
  switch (name) {
    case 'blob arriving':
      return withBlob(pile, attributes, {
        state: 'arriving',
        arrived: Number(attributes['engineroom.blob.offset'] ?? 0),
      });
    case 'blob verified':
      if (bytesOf(attributes) < SMALL_BYTES) return pile;
      return withBlob(pile, attributes, { state: 'verified', arrived: bytesOf(attributes) });
    case 'layer applied':
      return withBlob(pile, attributes, { state: 'unpacked' });
    case 'overlay layers':
      return { ...pile, upper: upperOf(attributes), lower: lowerOf(attributes) };
    default:
      return pile;
  }
}

function atMount(pile: LayerPile, { name, attributes, errno }: SyscallEvent): LayerPile {
  if (errno !== null) return pile;
  const target = attributes['engineroom.mount.target'];
  if (name === 'umount2' && target === pile.merged) return { ...pile, merged: null };
  if (name !== 'mount' || typeof target !== 'string') return pile;
  if (attributes['engineroom.mount.type'] !== 'overlay') return pile;
  const lower = lowerOf(attributes);
  return lower.length > 0
    ? { ...pile, upper: upperOf(attributes), lower, merged: target }
    : { ...pile, merged: target };
}

const bytesOf = (attributes: Attributes | undefined): number =>
  Number(attributes?.['engineroom.blob.bytes'] ?? 0);

const upperOf = (attributes: Attributes | undefined): string | null =>
  snapshotNumber(attributes?.['engineroom.overlay.upper']) || null;

const lowerOf = (attributes: Attributes): readonly string[] => {
  const lower = attributes['engineroom.overlay.lower'];
  return Array.isArray(lower) ? lower.map(snapshotNumber).filter((number) => number !== '') : [];
};

const NEW_BLOB: LayerBlob = { bytes: 0, arrived: 0, state: 'arriving', snapshot: null };

function withBlob(
  pile: LayerPile,
  attributes: Attributes | undefined,
  change: Partial<LayerBlob>,
): LayerPile {
  const digest = attributes?.['engineroom.blob.digest'];
  if (typeof digest !== 'string') return pile;
  const before = pile.blobs[digest] ?? NEW_BLOB;
  const bytes = bytesOf(attributes) || before.bytes;
  const after = { ...before, bytes, ...change };
  // What is unpacked has come, whether this run brought it or an earlier one.
  const arrived = change.state === 'unpacking' ? bytes : after.arrived;
  return { ...pile, blobs: { ...pile.blobs, [digest]: { ...after, arrived } } };
}

export interface LayerRow {
  readonly key: string;
  readonly state: LayerBlob['state'] | 'upper' | 'lower';
  /** Null for what has no folder yet. */
  readonly snapshot: string | null;
  /** Null for a folder whose layer this run does not tell of. */
  readonly blob: string | null;
  readonly bytes: number;
  readonly arrived: number;
}

/** From the top: what has no folder yet, the writable folder, the read-only ones. */
export const layerRows = ({ blobs, upper, lower }: LayerPile): readonly LayerRow[] => {
  const known = Object.entries(blobs);
  const folder = (snapshot: string, state: 'upper' | 'lower'): LayerRow => {
    const [digest, blob] = known.find(([, each]) => each.snapshot === snapshot) ?? [];
    const isUnpacking = blob?.state === 'unpacking' || blob?.state === 'unpacked';
    return {
      key: `snapshot-${snapshot}`,
      state: state === 'upper' && isUnpacking ? blob.state : state,
      snapshot,
      blob: digest === undefined ? null : shortDigest(digest),
      bytes: blob?.bytes ?? 0,
      arrived: blob?.arrived ?? 0,
    };
  };
  const coming = known.flatMap(([digest, { snapshot, ...blob }]): LayerRow[] =>
    snapshot !== null && (snapshot === upper || lower.includes(snapshot))
      ? []
      : [{ key: digest, snapshot, blob: shortDigest(digest), ...blob }],
  );
  return [
    ...coming,
    ...(upper === null ? [] : [folder(upper, 'upper')]),
    ...lower.map((snapshot) => folder(snapshot, 'lower')),
  ];
};
