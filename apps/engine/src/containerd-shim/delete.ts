/**
 * `delete`: cleans up after a shim that died, or makes sure that one that left cleaned up itself.
 * The exit code of the container is lost with its shim; as upstream, we answer as if it had been killed, which it has.
 * Upstream: containerd cmd/containerd-shim-runc-v2/manager/manager_linux.go (Stop).
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import { messageOf } from '../protocol/errdefs.ts';
import { DeleteResponseSchema } from '../protocol/gen/task/shim_pb.ts';
import { parseTraceparent, withContext } from '../tracing/context.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { isSocketAlive } from '../transport/unix-socket.ts';
import { readContainerTrace } from './container-trace.ts';
import { ForeignRuntime } from './foreign-runtime.ts';
import {
  checkIdentity,
  readRuntimeChoice,
  runcRootOf,
  socketPathOf,
  type ShimIdentity,
} from './identity.ts';
import { readInitPid } from './init-process.ts';
import { unmountRootfs } from './rootfs-mount.ts';
import { RuncCommand } from './runc-command.ts';

/**
 * As upstream: what cannot be removed is said, and the rest is removed all the same, for containerd asks only once.
 */
const tolerate = async (failure: string, work: () => Promise<void> | void): Promise<void> => {
  try {
    await work();
  } catch (error) {
    const words = [`msg=${JSON.stringify(failure)}`, `error=${JSON.stringify(messageOf(error))}`];
    process.stderr.write(
      `time=${JSON.stringify(new Date().toISOString())} level=warning ${words.join(' ')}\n`,
    );
  }
};

/** Where the dead shim has listened. */
const socketIn = (bundle: string): string | null => {
  try {
    const address = readFileSync(join(bundle, 'address'), 'utf8').trim();
    return address.startsWith('unix:///') ? address.slice('unix://'.length) : null;
  } catch {
    return null;
  }
};

/** Returns the DeleteResponse that goes to stdout. Postcondition: nothing is left of what can be removed. */
export const cleanUp = async (
  native: Native,
  tracer: Tracer,
  identity: ShimIdentity,
): Promise<Uint8Array> => {
  checkIdentity(identity);
  const { bundle, id } = identity;
  const context = parseTraceparent(process.env['TRACEPARENT']) ?? readContainerTrace(bundle);
  const pid = readInitPid(bundle);
  const { root: chosenRoot, binary } = readRuntimeChoice(bundle);
  const root = runcRootOf(identity, chosenRoot);
  const runtime = binary
    ? new ForeignRuntime(native, tracer, { binary })
    : new RuncCommand(native, tracer);
  await withContext(context, async () => {
    await tolerate('failed to remove runc container', () =>
      runtime.delete({ root, id, bundle }, true),
    );
    await tolerate('failed to cleanup rootfs mount', () =>
      unmountRootfs(native, tracer, join(bundle, 'rootfs')),
    );
  });
  const socket = socketIn(bundle) ?? socketPathOf(identity);
  // The container may have been started again meanwhile, with a shim that lives.
  if (!(await isSocketAlive(socket))) rmSync(socket, { force: true });
  const response = create(DeleteResponseSchema, {
    pid,
    exitStatus: 128 + constants.signals.SIGKILL,
    exitedAt: timestampNow(),
  });
  return toBinary(DeleteResponseSchema, response);
};
