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
    case 'resolved':
      return layers.resolved(who, shortDigest(attributes['oci.manifest.digest']));
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

/** The same for work that begins, by the name of its span. */
export const layerWorkWords = (
  who: Actor,
  work: string,
  attributes: Attributes = {},
): string | null => {
  const { layers } = t();
  const [verb, ...rest] = work.split(' ');
  const size = sizeWords(Number(attributes['engineroom.blob.bytes'] ?? 0));
  const digest = attributes['engineroom.blob.digest'];
  if (verb === 'resolve' && rest.length === 1) return layers.resolving(who, rest.join(' '));
  if (verb === 'fetch' && digest !== undefined)
    return layers.fetching(who, size, shortDigest(digest));
  switch (work) {
    case 'snapshot prepare':
      return layers.preparing(who);
    case 'layer apply':
      return layers.unpacking(who, size, shortDigest(digest));
    case 'snapshot commit':
      return layers.sealing(who, snapshotNumber(attributes['engineroom.overlay.upper']));
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
export const snapshotNumber = (path: unknown): string =>
  /\/snapshots\/(\d+)\/fs$/.exec(String(path))?.[1] ?? '';

export const shortDigest = (digest: unknown): string =>
  /^sha256:([0-9a-f]{12})/.exec(String(digest))?.[1] ?? t().layers.noName;
