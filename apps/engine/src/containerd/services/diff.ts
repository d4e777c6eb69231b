/**
 * Diff: applies a layer to the mounts of a snapshot, and makes a layer of what two snapshots differ in.
 * Upstream: containerd plugins/services/diff.
 */
import { randomUUID } from 'node:crypto';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { Diff } from '../../protocol/gen/containerd/diff_pb.ts';
import type { Attributes } from '../../protocol/trace/event.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { ContentStore } from '../content/content-store.ts';
import { parseDigest } from '../content/digest.ts';
import type { BlobApplier } from '../diff/apply-blob.ts';
import { changesBetween, type AttributeReader } from '../diff/changes.ts';
import { diffMediaType, writeDiff } from '../diff/create-diff.ts';
import { withMounted, withView, type MountedOptions } from '../diff/mounted.ts';
import { layerOf } from '../diff/write-layer.ts';
import { invalidArgument } from '../errors.ts';
import { requireNamespace } from '../identifier.ts';
import type { LeaseStore } from '../metadata/lease-store.ts';
import type { Mount } from '../snapshots/snapshotter.ts';
import type { HandlersOf } from './handlers-of.ts';

export interface DiffDependencies {
  readonly content: ContentStore;
  readonly leases: LeaseStore;
  readonly mounted: MountedOptions;
  readonly files: AttributeReader;
  readonly applyBlob: BlobApplier;
  readonly tracer: Tracer;
}

const UNCOMPRESSED_LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** The folder that is unpacked into: of an overlay its upper one, else what the mount shows. */
const upperOf = ([mount]: readonly Pick<Mount, 'source' | 'options'>[]): Attributes => {
  if (!mount) return {};
  const upper = mount.options.find((option) => option.startsWith('upperdir='));
  return { 'engineroom.overlay.upper': upper?.slice('upperdir='.length) ?? mount.source };
};

export const diffService = ({
  content,
  leases,
  mounted,
  files,
  applyBlob,
  tracer,
}: DiffDependencies): HandlersOf<typeof Diff> => ({
  apply: async ({ diff, mounts }, call) => {
    const namespace = requireNamespace(call);
    if (!diff) throw invalidArgument('diff must be set');
    const digest = parseDigest(diff.digest);
    const info = content.info(namespace, digest);
    const blobPath = content.pathOf(digest);
    const applied = await tracer.span(
      'layer apply',
      {
        level: 'step',
        source: __SOURCE__,
        attributes: {
          'engineroom.mount.type': mounts[0]?.type ?? '',
          'engineroom.blob.digest': digest,
          'engineroom.blob.bytes': Number(info.size),
          ...upperOf(mounts),
        },
      },
      async (span) => {
        const layer = await withMounted(mounts, mounted, (target) =>
          applyBlob({ blobPath, target }, call.signal),
        );
        span.event(
          'layer applied',
          {
            'engineroom.blob.digest': digest,
            'engineroom.layer.diff_id': layer.digest,
            'engineroom.layer.bytes': layer.sizeBytes,
            'engineroom.layer.entries': layer.entries,
          },
          { level: 'chapter', source: __SOURCE__ },
        );
        return layer;
      },
    );
    return {
      applied: {
        mediaType: UNCOMPRESSED_LAYER,
        digest: applied.digest,
        size: BigInt(applied.sizeBytes),
      },
    };
  },

  diff: async ({ left, right, mediaType, ref, labels, sourceDateEpoch }, call) => {
    const namespace = requireNamespace(call);
    const whiteoutTime = sourceDateEpoch ? timestampDate(sourceDateEpoch) : new Date();
    const write = (lower: string | undefined, upper: string) =>
      writeDiff(content, {
        namespace,
        ref: ref === '' ? `diff-${randomUUID()}` : ref,
        mediaType: diffMediaType(mediaType),
        labels,
        layer: layerOf(changesBetween(lower, upper, files), files, whiteoutTime),
        hold: (digest) => leases.hold(namespace, call, { type: 'content', id: digest }),
      });
    const blob = await tracer.span('layer diff', { level: 'step', source: __SOURCE__ }, () =>
      withView(right, mounted, (upper) =>
        left.length === 0
          ? write(undefined, upper)
          : withView(left, mounted, (lower) => write(lower, upper)),
      ),
    );
    return {
      diff: { mediaType: blob.mediaType, digest: blob.digest, size: BigInt(blob.sizeBytes) },
    };
  },
});
