/**
 * `containerd publish --topic T --namespace N`: how a shim without a line to the ttrpc socket tells an event, which it
 * writes to standard input. Upstream: containerd cmd/containerd/command/publish.go.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { readFileSync } from 'node:fs';
import { Events } from '../protocol/gen/containerd/events_pb.ts';
import { createGrpcChannel } from '../transport/grpc-client.ts';

export const publish = async (
  socketPath: string,
  { topic, namespace }: { topic: string; namespace: string },
): Promise<void> => {
  const event = fromBinary(AnySchema, readFileSync(0));
  const channel = createGrpcChannel({ socketPath, peer: 'containerd', namespace });
  try {
    await channel.client(Events).publish({ topic, event });
  } finally {
    channel.close();
  }
};
