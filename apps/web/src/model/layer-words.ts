/** How layers arrive, are verified, unpacked and stacked, in sentences for captions. */
import type { Actor, Attributes } from '@engine-room/engine/protocol/trace/event.ts';
import { t } from '../messages/catalogue.ts';
import { sizeWords } from './time-words.ts';

/** Null for a moment that is about something else. */
export const layerWords = (who: Actor, moment: string, attributes: Attributes): string | null => {
  const { layers } = t();
  const size = (name: string): string => sizeWords(Number(attributes[name] ?? 0));
  const digest = shortDigest(attributes['engineroom.blob.digest']);
  switch (moment) {
    case 'blob arriving':
      return layers.arriving(
        who,
        size('engineroom.blob.offset'),
        size('engineroom.blob.bytes'),
        digest,
      );
    case 'blob verified':
      return layers.verified(who, size('engineroom.blob.bytes'), digest);
    case 'layer applied':
      return layers.applied(
        who,
        Number(attributes['engineroom.layer.entries']),
        size('engineroom.layer.bytes'),
      );
    case 'overlay layers':
      return stackWords(who, attributes);
    case 'layer copied':
      return layers.copied(who);
    default:
      return null;
  }
};

function stackWords(who: Actor, attributes: Attributes): string {
  const { layers } = t();
  const lower = attributes['engineroom.overlay.lower'];
  const below = Array.isArray(lower) ? lower.map(snapshotNumber).join(', ') : '';
  const upper = snapshotNumber(String(attributes['engineroom.overlay.upper'] ?? ''));
  if (below === '') return layers.empty(who, upper);
  return upper === '' ? layers.stacks(who, below) : layers.stacksOver(who, upper, below);
}

/** `…/snapshots/7/fs` → `7`. */
const snapshotNumber = (path: unknown): string =>
  /\/snapshots\/(\d+)\/fs$/.exec(String(path))?.[1] ?? '';

const shortDigest = (digest: unknown): string =>
  /^sha256:([0-9a-f]{12})/.exec(String(digest))?.[1] ?? t().layers.noName;
