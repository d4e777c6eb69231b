/** Diff: applies a layer to the mounts of a snapshot. Upstream: containerd plugins/services/diff. */
import type { Diff } from '../../protocol/gen/containerd/diff_pb.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { ContentStore } from '../content/content-store.ts';
import { parseDigest } from '../content/digest.ts';
import { applyLayer } from '../diff/apply.ts';
import { withMounted, type MountedOptions } from '../diff/mounted.ts';
import type { SpecialFiles } from '../diff/unpack.ts';
import { invalidArgument } from '../errors.ts';
import { requireNamespace } from '../identifier.ts';
import type { Log } from '../log.ts';
import type { HandlersOf } from './handlers-of.ts';

export interface DiffDependencies {
  readonly content: ContentStore;
  readonly mounted: MountedOptions;
  readonly special: SpecialFiles;
  readonly tracer: Tracer;
  readonly log: Log;
}

const UNCOMPRESSED_LAYER = 'application/vnd.oci.image.layer.v1.tar';

export const diffService = ({
  content,
  mounted,
  special,
  tracer,
  log,
}: DiffDependencies): HandlersOf<typeof Diff> => ({
  apply: async ({ diff, mounts }, call) => {
    const namespace = requireNamespace(call);
    if (!diff) throw invalidArgument('diff must be set');
    const digest = parseDigest(diff.digest);
    const blob = content.read(namespace, digest, 0, Infinity);
    const applied = await tracer.span(
      'layer apply',
      {
        level: 'step',
        source: __SOURCE__,
        attributes: { 'engineroom.mount.type': mounts[0]?.type ?? '' },
      },
      () =>
        withMounted(mounts, mounted, (target) =>
          applyLayer({ blob, target, special, signal: call.signal }),
        ),
    );
    const { skippedAttributes } = applied;
    if (skippedAttributes > 0) {
      log.warn('extended attributes of a layer were not set', { digest, count: skippedAttributes });
    }
    return {
      applied: {
        mediaType: UNCOMPRESSED_LAYER,
        digest: applied.digest,
        size: BigInt(applied.sizeBytes),
      },
    };
  },
});
