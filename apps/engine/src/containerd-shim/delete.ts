/**
 * `delete`: cleans up after a shim that died, or makes sure that one that left cleaned up itself.
 * The exit code of the container is lost with its shim; as upstream, we answer as if it had been killed, which it has.
 * Upstream: containerd cmd/containerd-shim-runc-v2/manager/manager_linux.go (Stop).
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import { DeleteResponseSchema } from '../protocol/gen/task/shim_pb.ts';
import { parseTraceparent, withContext } from '../tracing/context.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { readContainerTrace } from './container-trace.ts';
import { checkIdentity, runcRootOf, socketPathOf, type ShimIdentity } from './identity.ts';
import { readInitPid } from './init-process.ts';
import { unmountRootfs } from './rootfs-mount.ts';
import { RuncCommand } from './runc-command.ts';

/** Returns the DeleteResponse that goes to stdout. Postcondition: no process, cgroup, mount or socket is left. */
export const cleanUp = async (
  native: Native,
  tracer: Tracer,
  identity: ShimIdentity,
): Promise<Uint8Array> => {
  checkIdentity(identity);
  const { bundle, id } = identity;
  const context = parseTraceparent(process.env['TRACEPARENT']) ?? readContainerTrace(bundle);
  const pid = readInitPid(bundle);
  await withContext(context, async () => {
    await new RuncCommand(native, tracer).delete(runcRootOf(identity, ''), id, true);
    unmountRootfs(native, tracer, join(bundle, 'rootfs'));
  });
  rmSync(socketPathOf(identity), { force: true });
  const response = create(DeleteResponseSchema, {
    pid,
    exitStatus: 128 + constants.signals.SIGKILL,
    exitedAt: timestampNow(),
  });
  return toBinary(DeleteResponseSchema, response);
};
