/** A container's record, as a client makes it; its spec is nobody's. */
import { create } from '@bufbuild/protobuf';
import { type Container, ContainerSchema } from '../../protocol/gen/containerd/containers_pb.ts';

export const aContainer = (id: string, runtime = 'io.containerd.engineroom.v2'): Container =>
  create(ContainerSchema, {
    id,
    runtime: { name: runtime },
    spec: { typeUrl: 'x', value: new Uint8Array([1]) },
  });
