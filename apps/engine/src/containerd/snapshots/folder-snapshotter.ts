/**
 * What all snapshotters here have in common: every snapshot is a folder `snapshots/<number>/fs`, its record is in the
 * database, and a crash leaves at most a folder without a record. How a folder comes to show its parents' files is
 * each snapshotter's own.
 */
import { renameSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Info } from '../../protocol/gen/containerd/snapshots_pb.ts';
import type { Span, Tracer } from '../../tracing/tracer.ts';
import { messageOf } from '../../protocol/errdefs.ts';
import { failedPrecondition } from '../errors.ts';
import { Farewells } from '../farewells.ts';
import type { Log } from '../log.ts';
import type { Labels } from '../metadata/update-mask.ts';
import { diskUsage } from './disk-usage.ts';
import { removeTree } from './remove-tree.ts';
import { infoOf, type Snapshot, type SnapshotStore } from './snapshot-store.ts';
import type { Mount, Snapshotter, Usage } from './snapshotter.ts';

/** A folder that is being made. */
export interface Making {
  readonly namespace: string;
  readonly kind: 'active' | 'view';
  readonly parent: string;
  /** Will be `snapshots/<number>` when everything is in it. */
  readonly folder: string;
}

export abstract class FolderSnapshotter implements Snapshotter {
  abstract readonly name: string;
  /** What all its folders are in. */
  readonly folder: string;
  protected readonly store: SnapshotStore;
  readonly #tracer: Tracer;
  readonly #log: Log;
  readonly #farewells = new Farewells();
  /** Folders that are being made have no record yet. */
  readonly #making = new Set<string>();

  constructor(root: string, store: SnapshotStore, tracer: Tracer, log: Log) {
    this.folder = join(root, 'snapshots');
    this.store = store;
    this.#tracer = tracer;
    this.#log = log;
  }

  /** Makes the folder and sweeps what a crash left. Called once, before anything else. */
  async open(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
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
    const snapshot = this.store.get(namespace, key);
    if (snapshot.record.kind === 'committed') {
      throw failedPrecondition(
        `failed to get active mount: requested snapshot ${key} not active or view`,
      );
    }
    return this.mountsOf(snapshot);
  }

  async commit(namespace: string, name: string, key: string, labels: Labels): Promise<void> {
    const { record } = this.store.get(namespace, key);
    const usage = await diskUsage(this.files(record.id));
    await this.#tracer.span(
      'snapshot commit',
      {
        level: 'step',
        source: __SOURCE__,
        attributes: { 'engineroom.overlay.upper': this.files(record.id) },
      },
      () => this.store.commit(namespace, name, key, { labels, usage }),
    );
  }

  async remove(namespace: string, key: string): Promise<void> {
    // First the record, then the files: a crash in between leaves a folder that `cleanup` finds.
    const folder = this.folderOf(this.store.remove(namespace, key));
    this.#farewells.begin(folder, () =>
      removeTree(folder).catch((error: unknown) =>
        this.#log.warn('failed to remove a snapshot', { path: folder, error: messageOf(error) }),
      ),
    );
  }

  settled(): Promise<void> {
    return this.#farewells.settled();
  }

  async collect(namespace: string, keys: ReadonlySet<string>): Promise<void> {
    for (const id of this.store.removeAll(namespace, keys)) await removeTree(this.folderOf(id));
  }

  find(namespace: string, key: string): Info | undefined {
    const record = this.store.find(namespace, key);
    return record && infoOf(record);
  }

  stat(namespace: string, key: string): Info {
    return infoOf(this.store.get(namespace, key).record);
  }

  update(namespace: string, key: string, labels: Labels, paths: readonly string[]): Info {
    return infoOf(this.store.update(namespace, key, labels, paths));
  }

  list(namespace: string, filters: readonly string[]): Info[] {
    return this.store.list(namespace, filters).map(infoOf);
  }

  async usage(namespace: string, key: string): Promise<Usage> {
    const { record } = this.store.get(namespace, key);
    return record.kind === 'active' ? diskUsage(this.files(record.id)) : record.usage;
  }

  async cleanup(): Promise<void> {
    const names = await readdir(this.folder);
    // Read after the folders were listed: what appears in between has its record already.
    const owned = this.store.ids();
    for (const name of names) {
      const isBeingMade = this.#making.has(name);
      if (!isBeingMade && !owned.has(Number(name)))
        await rm(join(this.folder, name), { recursive: true, force: true });
    }
  }

  async #create(
    namespace: string,
    options: { key: string; kind: 'active' | 'view'; parent: string; labels: Labels },
  ): Promise<readonly Mount[]> {
    const { kind, parent } = options;
    return this.#tracer.span(
      `snapshot ${kind === 'active' ? 'prepare' : 'view'}`,
      { level: 'step', source: __SOURCE__ },
      async (span) => {
        const id = this.store.nextId();
        const making = `new-${id}`;
        const final = this.folderOf(id);
        this.#making.add(making).add(String(id));
        try {
          await this.make({ namespace, kind, parent, folder: join(this.folder, making) });
          renameSync(join(this.folder, making), final);
          const snapshot = this.store.create(namespace, { id, ...options });
          this.tell(span, snapshot);
          return this.mountsOf(snapshot);
        } catch (error) {
          await rm(join(this.folder, making), { recursive: true, force: true });
          await rm(final, { recursive: true, force: true });
          throw error;
        } finally {
          this.#making.delete(making);
          this.#making.delete(String(id));
        }
      },
    );
  }

  /** Puts `fs/` and whatever else belongs to it into the new folder. */
  protected abstract make(making: Making): Promise<void> | void;
  /** What the new snapshot is made of, told inside its span. */
  protected abstract tell(span: Span, snapshot: Snapshot): void;
  protected abstract mountsOf(snapshot: Snapshot): readonly Mount[];

  protected files(id: number): string {
    return join(this.folderOf(id), 'fs');
  }

  protected folderOf(id: number): string {
    return join(this.folder, String(id));
  }
}
