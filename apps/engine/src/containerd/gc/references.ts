/**
 * What labels say about what must stay: `containerd.io/gc.…`.
 *
 *   gc.root                              stays, whether anybody points at it or not
 *   gc.ref.content[.x|/x] = <digest>     needs this blob
 *   gc.ref.snapshot.<name>[/x] = <key>   needs this snapshot
 *   gc.expire = <time>                   of a lease or an image: holds nothing from then on
 *   gc.flat                              of a lease: holds what it names, not what that needs
 *
 * Reference: https://github.com/containerd/containerd/blob/main/docs/garbage-collection.md
 */
import type { Labels } from '../metadata/update-mask.ts';

const ROOT = 'containerd.io/gc.root';
const EXPIRE = 'containerd.io/gc.expire';
const FLAT = 'containerd.io/gc.flat';
const CONTENT = 'containerd.io/gc.ref.content';
const SNAPSHOT = 'containerd.io/gc.ref.snapshot.';

/** A blob or a snapshot of a namespace. */
export type Resource =
  | { readonly kind: 'content'; readonly id: string }
  | { readonly kind: 'snapshot'; readonly snapshotter: string; readonly id: string };

export const isRoot = (labels: Labels): boolean => Object.hasOwn(labels, ROOT);

export const isFlat = (labels: Labels): boolean => Object.hasOwn(labels, FLAT);

/** A time that nobody can read holds for ever: rather too much is kept than too little. */
export const isExpired = (labels: Labels, nowMs: number): boolean =>
  Object.hasOwn(labels, EXPIRE) && Date.parse(labels[EXPIRE] ?? '') <= nowMs;

export const referencesIn = (labels: Labels): Resource[] =>
  Object.entries(labels).flatMap(([key, id]): Resource[] => {
    if (key.startsWith(CONTENT)) {
      const rest = key.slice(CONTENT.length);
      return rest === '' || rest.startsWith('.') || rest.startsWith('/')
        ? [{ kind: 'content', id }]
        : [];
    }
    if (!key.startsWith(SNAPSHOT)) return [];
    const [snapshotter = ''] = key.slice(SNAPSHOT.length).split('/');
    return snapshotter === '' ? [] : [{ kind: 'snapshot', snapshotter, id }];
  });

/** The resource of a lease as the API names it: `content` or `snapshots/<snapshotter>`. */
export const leasedResource = (type: string, id: string): Resource | undefined => {
  if (type === 'content') return { kind: 'content', id };
  const [kind, snapshotter] = type.split('/');
  return kind === 'snapshots' && snapshotter ? { kind: 'snapshot', snapshotter, id } : undefined;
};
