/**
 * Snapshots by overlayfs: every snapshot is a folder `snapshots/<number>/fs`, and an overlay mount shows
 * a pile of them as one tree. Writes go into the uppermost folder; deletions become whiteouts in it.
 *
 *   no parent             bind mount of fs/                    (an overlay needs a lower folder)
 *   active with parents   overlay: upperdir=fs/, workdir=work/, lowerdir=parent:grandparent:…
 *   view of one parent    bind mount of the parent's fs/, read-only
 *   view of more          overlay with lowerdir alone, which makes it read-only
 *
 * Upstream: containerd plugins/snapshots/overlay. Linux: Documentation/filesystems/overlayfs.rst.
 */
import { accessSync } from 'node:fs';
import { chown, lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Info } from '../../protocol/gen/containerd/snapshots_pb.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import { failedPrecondition } from '../errors.ts';
import type { Labels } from '../metadata/update-mask.ts';
import { diskUsage } from './disk-usage.ts';
import { infoOf, type Snapshot, type SnapshotStore } from './snapshot-store.ts';
import type { Mount, Snapshotter, Usage } from './snapshotter.ts';

export class OverlaySnapshotter implements Snapshotter {
  readonly name = 'overlayfs';
  readonly #folder: string;
  readonly #store: SnapshotStore;
  readonly #tracer: Tracer;
  /** `index=off` lets a lower folder be part of several mounts at once; old kernels do not know the word. */
  readonly #extraOptions: readonly string[] = hasIndexOption() ? ['index=off'] : [];

  constructor(root: string, store: SnapshotStore, tracer: Tracer) {
    this.#folder = join(root, 'snapshots');
    this.#store = store;
    this.#tracer = tracer;
  }

  /** Makes the folder and sweeps what a crash left. Called once, before anything else. */
  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await this.cleanup();
  }

  async prepare(
    namespace: string,
    key: string,
    parent: string,
    labels: Labels,
  ): Promise<readonly Mount[]> {
    return this.#create(namespace, { key, kind: 'active', parent, labels });
  }

  async view(
    namespace: string,
    key: string,
    parent: string,
    labels: Labels,
  ): Promise<readonly Mount[]> {
    return this.#create(namespace, { key, kind: 'view', parent, labels });
  }

  mounts(namespace: string, key: string): readonly Mount[] {
    const snapshot = this.#store.get(namespace, key);
    if (snapshot.record.kind === 'committed') {
      throw failedPrecondition(
        `failed to get active mount: requested snapshot ${key} not active or view`,
      );
    }
    return this.#mountsOf(snapshot);
  }

  async commit(namespace: string, name: string, key: string, labels: Labels): Promise<void> {
    const { record } = this.#store.get(namespace, key);
    const usage = await diskUsage(this.#upper(record.id));
    await this.#tracer.span(
      'snapshot commit',
      {
        level: 'step',
        source: __SOURCE__,
        attributes: { 'engineroom.overlay.upper': this.#upper(record.id) },
      },
      () => this.#store.commit(namespace, name, key, { labels, usage }),
    );
  }

  async remove(namespace: string, key: string): Promise<void> {
    // First the record, then the files: a crash in between leaves a folder that `cleanup` finds.
    const id = this.#store.remove(namespace, key);
    await rm(join(this.#folder, String(id)), { recursive: true, force: true });
  }

  async collect(namespace: string, keys: ReadonlySet<string>): Promise<void> {
    for (const id of this.#store.removeAll(namespace, keys))
      await rm(join(this.#folder, String(id)), { recursive: true, force: true });
  }

  find(namespace: string, key: string): Info | undefined {
    const record = this.#store.find(namespace, key);
    return record && infoOf(record);
  }

  stat(namespace: string, key: string): Info {
    return infoOf(this.#store.get(namespace, key).record);
  }

  update(namespace: string, key: string, labels: Labels, paths: readonly string[]): Info {
    return infoOf(this.#store.update(namespace, key, labels, paths));
  }

  list(namespace: string, filters: readonly string[]): Info[] {
    return this.#store.list(namespace, filters).map(infoOf);
  }

  async usage(namespace: string, key: string): Promise<Usage> {
    const { record } = this.#store.get(namespace, key);
    return record.kind === 'active' ? diskUsage(this.#upper(record.id)) : record.usage;
  }

  async cleanup(): Promise<void> {
    const names = await readdir(this.#folder);
    // Read after the folders were listed: what appears in between has its record already.
    const owned = this.#store.ids();
    for (const name of names) {
      const isBeingMade = this.#making.has(name);
      if (!isBeingMade && !owned.has(Number(name)))
        await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  /** Folders that are being made have no record yet. */
  readonly #making = new Set<string>();

  async #create(
    namespace: string,
    options: { key: string; kind: 'active' | 'view'; parent: string; labels: Labels },
  ): Promise<readonly Mount[]> {
    const { kind, parent } = options;
    return this.#tracer.span(
      `snapshot ${kind === 'active' ? 'prepare' : 'view'}`,
      { level: 'step', source: __SOURCE__ },
      async (span) => {
        const id = this.#store.nextId();
        const making = `new-${id}`;
        const final = join(this.#folder, String(id));
        this.#making.add(making).add(String(id));
        try {
          await this.#makeFolders(join(this.#folder, making), kind);
          if (parent !== '')
            await this.#inheritOwner(namespace, parent, join(this.#folder, making, 'fs'));
          await rename(join(this.#folder, making), final);
          const snapshot = this.#store.create(namespace, { id, ...options });
          span.event(
            'overlay layers',
            {
              'engineroom.overlay.lower': snapshot.parentIds.map((parentId) =>
                this.#upper(parentId),
              ),
              ...(kind === 'active' ? { 'engineroom.overlay.upper': this.#upper(id) } : {}),
            },
            { source: __SOURCE__ },
          );
          return this.#mountsOf(snapshot);
        } catch (error) {
          await rm(join(this.#folder, making), { recursive: true, force: true });
          await rm(final, { recursive: true, force: true });
          throw error;
        } finally {
          this.#making.delete(making);
          this.#making.delete(String(id));
        }
      },
    );
  }

  async #makeFolders(folder: string, kind: 'active' | 'view'): Promise<void> {
    await mkdir(join(folder, 'fs'), { recursive: true, mode: 0o755 });
    if (kind === 'active') await mkdir(join(folder, 'work'), { mode: 0o711 });
  }

  /** The root folder of the container belongs to whom the image says. */
  async #inheritOwner(namespace: string, parent: string, folder: string): Promise<void> {
    const id = this.#store.idOf(namespace, parent);
    // An unknown parent is refused a moment later, with the record.
    if (id === undefined) return;
    const { uid, gid } = await lstat(this.#upper(id));
    await chown(folder, uid, gid);
  }

  #mountsOf({ record, parentIds }: Snapshot): readonly Mount[] {
    const [nearest] = parentIds;
    if (nearest === undefined) {
      return [
        {
          type: 'bind',
          source: this.#upper(record.id),
          options: [record.kind === 'view' ? 'ro' : 'rw', 'rbind'],
        },
      ];
    }
    if (record.kind === 'view' && parentIds.length === 1) {
      return [{ type: 'bind', source: this.#upper(nearest), options: ['ro', 'rbind'] }];
    }
    const writable =
      record.kind === 'active'
        ? [
            `workdir=${join(this.#folder, String(record.id), 'work')}`,
            `upperdir=${this.#upper(record.id)}`,
          ]
        : [];
    const lower = parentIds.map((id) => this.#upper(id)).join(':');
    return [
      {
        type: 'overlay',
        source: 'overlay',
        options: [...this.#extraOptions, ...writable, `lowerdir=${lower}`],
      },
    ];
  }

  #upper(id: number): string {
    return join(this.#folder, String(id), 'fs');
  }
}

const hasIndexOption = (): boolean => {
  try {
    accessSync('/sys/module/overlay/parameters/index');
    return true;
  } catch {
    return false;
  }
};
