/** What names a blob: its kind, its digest, its size in bytes. OCI image-spec descriptor.md; containerd api/types/descriptor.proto. */
import type { Descriptor as WireDescriptor } from '../../protocol/gen/containerd/descriptor_pb.ts';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export const plainDescriptor = (wire: WireDescriptor | undefined): Descriptor => ({
  mediaType: wire?.mediaType ?? '',
  digest: wire?.digest ?? '',
  size: Number(wire?.size ?? 0),
});

export const wireDescriptor = ({ mediaType, digest, size }: Descriptor) => ({
  mediaType,
  digest,
  size: BigInt(size),
});
