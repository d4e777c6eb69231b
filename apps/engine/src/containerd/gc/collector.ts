/**
 * Garbage collection: what no image, no container, no lease and no root label needs, goes.
 *
 * Mark and sweep over the metadata. Both are one synchronous step, so that nothing changes in between; the bytes on
 * disk follow. It runs soon after a deletion and at the start, as in real containerd, and a caller that asks for `sync`
 * waits for it. Upstream: containerd core/metadata/gc.go, pkg/gc, plugins/gc/scheduler.go.
 */
import { messageOf } from '../../protocol/errdefs.ts';
import type { ContentStore } from '../content/content-store.ts';
import type { ImageStore } from '../images/image-store.ts';
import type { Log } from '../log.ts';
import type { ContainerStore } from '../metadata/container-store.ts';
import type { LeaseStore } from '../metadata/lease-store.ts';
import type { NamespaceStore } from '../metadata/namespace-store.ts';
import type { Labels } from '../metadata/update-mask.ts';
import type { Snapshotter } from '../snapshots/snapshotter.ts';
import {
  isExpired,
  isFlat,
  isRoot,
  leasedResource,
  referencesIn,
  type Resource,
} from './references.ts';

/** As upstream's scheduler: collections, which hold everybody up, take at most a fiftieth of the time. */
const DELAY_FACTOR = 49;
/** Whoever deletes one thing often makes use of another that stood by it. */
const MIN_DELAY_MS = 250;
const MAX_DELAY_MS = 5000;

export interface CollectorOptions {
  readonly namespaces: NamespaceStore;
  readonly images: ImageStore;
  readonly containers: ContainerStore;
  readonly leases: LeaseStore;
  readonly content: ContentStore;
  readonly snapshotters: ReadonlyMap<string, Snapshotter>;
  readonly log: Log;
}

export class GarbageCollector {
  readonly #options: CollectorOptions;
  /** The removal of files, one after another. */
  #sweeping: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** How long the last collection held everybody up. */
  #lastPauseMs = 1;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Something was deleted: collect soon, once for all that is deleted meanwhile. */
  touch(): void {
    if (this.#timer || this.#isClosed) return;
    const wanted = Math.max(this.#lastPauseMs * DELAY_FACTOR, MIN_DELAY_MS);
    const delayMs = Math.min(wanted, MAX_DELAY_MS);
    // Tells its failures itself.
    this.#timer = setTimeout(() => void this.collect(), delayMs).unref();
  }

  /**
   * Collects now, and with it for every deletion so far: what is made after it is in no danger of theirs.
   * Resolves when the files are gone too; what went wrong is logged and is nobody's failure.
   */
  collect(): Promise<void> {
    this.#forgetTouches();
    const earlier = this.#sweeping;
    const begin = performance.now();
    const removals = this.#collectAll(Date.now());
    this.#lastPauseMs = performance.now() - begin;
    this.#sweeping = Promise.all([earlier, removals]).then(
      () => undefined,
      (error: unknown) => {
        this.#options.log.warn('garbage collection left something behind', {
          error: messageOf(error),
        });
      },
    );
    return this.#sweeping;
  }

  async #collectAll(nowMs: number): Promise<void> {
    const { namespaces, content } = this.#options;
    const removals = namespaces.list().map(({ name }) => this.#collectIn(name, nowMs));
    await Promise.all([...removals, content.dropStaleIngests(nowMs)]);
  }

  /** The end: nothing is collected any more, and what is being removed is gone when it resolves. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#forgetTouches();
    await this.#sweeping;
  }

  #forgetTouches(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #collectIn(namespace: string, nowMs: number): Promise<void> {
    const { content, snapshotters } = this.#options;
    const marked = this.#mark(namespace, this.#roots(namespace, nowMs));
    const removals = [...snapshotters].map(([name, snapshotter]) => {
      const garbage = snapshotter
        .list(namespace, [])
        .map((info) => info.name)
        .filter((id) => !marked.has(keyOf({ kind: 'snapshot', snapshotter: name, id })));
      return snapshotter.collect(namespace, new Set(garbage));
    });
    const blobs = content
      .list(namespace)
      .map(({ digest }) => digest)
      .filter((id) => !marked.has(keyOf({ kind: 'content', id })));
    removals.push(content.collect(namespace, blobs));
    await Promise.all(removals);
  }

  /** Where the marking begins. Also lets go of leases whose time is over. */
  #roots(namespace: string, nowMs: number): Root[] {
    const { images, containers, leases, content, snapshotters } = this.#options;
    const roots: Root[] = [];
    for (const lease of leases.list(namespace, [])) {
      if (isExpired(lease.labels, nowMs)) {
        leases.delete(namespace, lease.id);
        continue;
      }
      for (const { type, id } of leases.listResources(namespace, lease.id)) {
        const resource = leasedResource(type, id);
        if (resource) roots.push({ resource, isFlat: isFlat(lease.labels) });
      }
    }
    for (const { target, labels } of images.list(namespace)) {
      if (isExpired(labels, nowMs)) continue;
      roots.push(...rootsOf([{ kind: 'content', id: target?.digest ?? '' }], labels));
    }
    for (const { snapshotter, snapshotKey, labels } of containers.list(namespace)) {
      roots.push(...rootsOf([{ kind: 'snapshot', snapshotter, id: snapshotKey }], labels));
    }
    for (const { digest, labels } of content.list(namespace)) {
      if (isRoot(labels)) roots.push(...rootsOf([{ kind: 'content', id: digest }], {}));
    }
    for (const [name, snapshotter] of snapshotters) {
      for (const { name: id, labels } of snapshotter.list(namespace, [])) {
        if (isRoot(labels))
          roots.push(...rootsOf([{ kind: 'snapshot', snapshotter: name, id }], {}));
      }
    }
    return roots;
  }

  #mark(namespace: string, roots: readonly Root[]): Set<string> {
    const marked = new Set<string>();
    // What a flat lease names is kept, and still followed when something else needs it.
    for (const { resource, isFlat: isAlone } of roots) if (isAlone) marked.add(keyOf(resource));
    const followed = new Set<string>();
    const pending = roots.filter((root) => !root.isFlat).map(({ resource }) => resource);
    for (let next = pending.pop(); next; next = pending.pop()) {
      const key = keyOf(next);
      if (followed.has(key)) continue;
      followed.add(key);
      marked.add(key);
      pending.push(...this.#neededBy(namespace, next));
    }
    return marked;
  }

  #neededBy(namespace: string, resource: Resource): Resource[] {
    const { content, snapshotters } = this.#options;
    if (resource.kind === 'content') {
      return referencesIn(content.find(namespace, resource.id)?.labels ?? {});
    }
    const info = snapshotters.get(resource.snapshotter)?.find(namespace, resource.id);
    if (!info) return [];
    const { snapshotter } = resource;
    const parent: Resource[] =
      info.parent === '' ? [] : [{ kind: 'snapshot', snapshotter, id: info.parent }];
    return [...parent, ...referencesIn(info.labels)];
  }
}

interface Root {
  readonly resource: Resource;
  readonly isFlat: boolean;
}

const rootsOf = (resources: readonly Resource[], labels: Labels): Root[] =>
  [...resources, ...referencesIn(labels)].map((resource) => ({ resource, isFlat: false }));

const keyOf = (resource: Resource): string =>
  resource.kind === 'content' ? resource.id : `${resource.snapshotter}/${resource.id}`;
