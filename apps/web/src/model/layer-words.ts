/** How layers arrive, are verified, unpacked and stacked, in sentences for captions. */
import type { Attributes } from '@engine-room/engine/protocol/trace/event.ts';
import { sizeWords } from './time-words.ts';

/** Null for a moment that is about something else. */
export const layerWords = (who: string, moment: string, attributes: Attributes): string | null => {
  const size = (name: string): string => sizeWords(Number(attributes[name] ?? 0));
  const digest = shortDigest(attributes['engineroom.blob.digest']);
  switch (moment) {
    case 'blob arriving':
      return `${who} has ${size('engineroom.blob.offset')} of ${size('engineroom.blob.bytes')} of blob ${digest}`;
    case 'blob verified':
      return `${who} has hashed ${size('engineroom.blob.bytes')} on the way: they are blob ${digest}`;
    case 'layer applied':
      return `${who} has unpacked ${Number(attributes['engineroom.layer.entries'])} entries, ${size('engineroom.layer.bytes')}`;
    case 'overlay layers':
      return stackWords(who, attributes);
    case 'layer copied':
      return `${who} copies the whole layer below, for there is no overlayfs`;
    default:
      return null;
  }
};

function stackWords(who: string, attributes: Attributes): string {
  const lower = attributes['engineroom.overlay.lower'];
  const below = Array.isArray(lower) ? lower.map(snapshotNumber) : [];
  const upper = snapshotNumber(String(attributes['engineroom.overlay.upper'] ?? ''));
  if (below.length === 0) return `${who} makes an empty folder for the layer: snapshot ${upper}`;
  const pile = `read-only ${below.join(', ')}`;
  return upper === ''
    ? `${who} stacks ${pile}`
    : `${who} stacks writable snapshot ${upper} over ${pile}`;
}

/** `…/snapshots/7/fs` → `7`. */
const snapshotNumber = (path: unknown): string =>
  /\/snapshots\/(\d+)\/fs$/.exec(String(path))?.[1] ?? '';

const shortDigest = (digest: unknown): string =>
  /^sha256:([0-9a-f]{12})/.exec(String(digest))?.[1] ?? 'without a name yet';
