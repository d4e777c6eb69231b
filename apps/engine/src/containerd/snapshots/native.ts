/**
 * Snapshots by copying: each writable snapshot holds all files of its parents. It needs nothing of the kernel but a
 * bind mount, and pays for it in time and disk; where reflinks are there, the file system shares the blocks.
 *
 *   active             bind mount of its own fs/
 *   view               bind mount of the parent's fs/, read-only
 *
 * Upstream: containerd plugins/snapshots/native.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Span } from '../../tracing/tracer.ts';
import { copyTree } from './copy-tree.ts';
import { FolderSnapshotter, type Making } from './folder-snapshotter.ts';
import type { Snapshot } from './snapshot-store.ts';
import type { Mount } from './snapshotter.ts';

export class NativeSnapshotter extends FolderSnapshotter {
  readonly name = 'native';

  protected override async make({ namespace, kind, parent, folder }: Making): Promise<void> {
    const files = join(folder, 'fs');
    await mkdir(files, { recursive: true, mode: 0o755 });
    if (kind === 'view' || parent === '') return;
    // A parent that is unknown or not committed is refused a moment later, with the record.
    const record = this.store.find(namespace, parent);
    if (record?.kind === 'committed') await copyTree(this.files(record.id), files);
  }

  protected override tell(span: Span, { record, parentIds }: Snapshot): void {
    const [parent] = parentIds;
    if (record.kind !== 'active' || parent === undefined) return;
    const source = this.files(parent);
    span.event(
      'layer copied',
      { 'engineroom.copy.source': source, 'engineroom.copy.target': this.files(record.id) },
      { source: __SOURCE__ },
    );
  }

  protected override mountsOf({ record, parentIds }: Snapshot): readonly Mount[] {
    const isView = record.kind === 'view';
    const [parent] = parentIds;
    const source = this.files(isView && parent !== undefined ? parent : record.id);
    return [{ type: 'bind', source, options: [isView ? 'ro' : 'rw', 'rbind'] }];
  }
}
