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
import { accessSync, chownSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Span } from '../../tracing/tracer.ts';
import { FolderSnapshotter, type Making } from './folder-snapshotter.ts';
import type { Snapshot } from './snapshot-store.ts';
import type { Mount } from './snapshotter.ts';

export class OverlaySnapshotter extends FolderSnapshotter {
  readonly name = 'overlayfs';
  /** `index=off` lets a lower folder be part of several mounts at once; old kernels do not know the word. */
  readonly #extraOptions: readonly string[] = hasIndexOption() ? ['index=off'] : [];

  /** A few calls into the page cache take less time than handing them to other threads. */
  protected override make({ namespace, kind, parent, folder }: Making): void {
    const files = join(folder, 'fs');
    mkdirSync(files, { recursive: true, mode: 0o755 });
    if (kind === 'active') mkdirSync(join(folder, 'work'), { mode: 0o711 });
    if (parent !== '') this.#inheritOwner(namespace, parent, files);
  }

  protected override tell(span: Span, { record, parentIds }: Snapshot): void {
    span.event(
      'overlay layers',
      {
        'engineroom.overlay.lower': parentIds.map((id) => this.files(id)),
        ...(record.kind === 'active' ? { 'engineroom.overlay.upper': this.files(record.id) } : {}),
      },
      { level: parentIds.length > 0 ? 'step' : 'detail', source: __SOURCE__ },
    );
  }

  /** The root folder of the container belongs to whom the image says. */
  #inheritOwner(namespace: string, parent: string, folder: string): void {
    const id = this.store.idOf(namespace, parent);
    // An unknown parent is refused a moment later, with the record.
    if (id === undefined) return;
    const { uid, gid } = lstatSync(this.files(id));
    chownSync(folder, uid, gid);
  }

  protected override mountsOf({ record, parentIds }: Snapshot): readonly Mount[] {
    const [nearest] = parentIds;
    if (nearest === undefined) {
      return [
        {
          type: 'bind',
          source: this.files(record.id),
          options: [record.kind === 'view' ? 'ro' : 'rw', 'rbind'],
        },
      ];
    }
    if (record.kind === 'view' && parentIds.length === 1) {
      return [{ type: 'bind', source: this.files(nearest), options: ['ro', 'rbind'] }];
    }
    const writable =
      record.kind === 'active'
        ? [`workdir=${join(this.folderOf(record.id), 'work')}`, `upperdir=${this.files(record.id)}`]
        : [];
    const lower = parentIds.map((id) => this.files(id)).join(':');
    return [
      {
        type: 'overlay',
        source: 'overlay',
        options: [...this.#extraOptions, ...writable, `lowerdir=${lower}`],
      },
    ];
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
