/**
 * After a restart: every bundle on disk is a container that somebody still counts on.
 *
 *   its shim answers, its process lives      take the task over
 *   its shim answers, its process ended      take it over and tell the exit, which nobody may have heard
 *   its shim answers but knows no task       containerd died in the middle of a create: send the shim away
 *   nobody answers                           the shim is dead: clean up, tell the exit
 *
 * Precondition: runs before the gRPC socket opens, so that no client sees half of it.
 * Upstream: containerd core/runtime/v2/shim_load.go.
 */
import { kindOf, messageOf } from '../../protocol/errdefs.ts';
import { Status } from '../../protocol/gen/containerd/process_pb.ts';
import { withContext } from '../../tracing/context.ts';
import type { Log } from '../log.ts';
import type { ContainerStore } from '../metadata/container-store.ts';
import { Bundle, type BundleFolders } from './bundle.ts';
import type { Exits } from './exits.ts';
import type { Unmounter } from './mounts.ts';
import { parseBootstrap, type Bootstrap, type ShimBinary } from './shim-binary.ts';
import type { ShimStarter } from './shim-starter.ts';
import type { TaskManager } from './task-manager.ts';
import type { Task } from './task.ts';

export interface ReconnectOptions {
  readonly folders: BundleFolders;
  readonly shims: ShimStarter;
  readonly tasks: TaskManager;
  readonly exits: Exits;
  readonly containers: ContainerStore;
  readonly unmounter: Unmounter;
  readonly log: Log;
}

const LOAD_TIMEOUT_MS = 5000;

export const reconnect = async (options: ReconnectOptions): Promise<void> => {
  const bundles = await Bundle.list(options.folders);
  await Promise.all(
    bundles.map((bundle) =>
      reconnectOne(bundle, options).catch((error: unknown) => {
        options.log.error('failed to load task', {
          id: bundle.id,
          namespace: bundle.namespace,
          error: messageOf(error),
        });
      }),
    ),
  );
};

const reconnectOne = async (bundle: Bundle, options: ReconnectOptions): Promise<void> => {
  const { shims, tasks, unmounter } = options;
  const binary = binaryOf(bundle, options);
  if (!binary) {
    bundle.delete(unmounter);
    return;
  }
  const context = bundle.readContext();
  const bootstrap = bootstrapOf(bundle);
  const stopLog = shims.followLog(bundle);
  const onDisconnect = () => tasks.lost(bundle.namespace, bundle.id);
  const task =
    bootstrap &&
    (await shims
      .connect(bundle, { binary, bootstrap, onDisconnect, context, stopLog })
      .catch(() => undefined));
  if (!task) {
    return tasks.bury({ bundle, binary, context, stopLog, client: nobody });
  }
  await takeOver(task, options);
};

const takeOver = async (task: Task, { tasks, exits, log }: ReconnectOptions): Promise<void> => {
  const { namespace, id } = task.bundle;
  tasks.adopt(task);
  try {
    const state = await task.client.calls.state({ id }, { timeoutMs: LOAD_TIMEOUT_MS });
    log.info('reconnected to shim', { id, namespace, status: state.status });
    if (state.status !== Status.STOPPED) return;
    const { pid, exitStatus, exitedAt } = state;
    withContext(task.context, () => exits.tell({ namespace, id, pid, exitStatus, exitedAt }));
  } catch (error) {
    if (kindOf(error) !== 'not_found') {
      // It listens but does not answer: as good as dead, and burying it kills what it holds.
      await tasks.bury(task);
      return;
    }
    log.warn('cleaning leaked shim process', { id, namespace });
    await tasks.dismiss(task);
  }
};

/** Which command cleans up: what the bundle says, else what the container's runtime is. */
const binaryOf = (
  bundle: Bundle,
  { shims, containers }: ReconnectOptions,
): ShimBinary | undefined => {
  const path = bundle.read('shim-binary-path');
  if (path) return shims.binaryAt(path);
  try {
    return shims.binaryFor(containers.get(bundle.namespace, bundle.id).runtime?.name ?? '');
  } catch {
    return undefined;
  }
};

/** bootstrap.json is ours, `address` the shim's own. */
const bootstrapOf = (bundle: Bundle): Bootstrap | undefined => {
  const text = bundle.read('bootstrap.json') ?? bundle.read('address');
  try {
    return text ? parseBootstrap(Buffer.from(text)) : undefined;
  } catch {
    return undefined;
  }
};

/** The line to a shim that is not there. */
const nobody: Task['client'] = {
  get calls(): Task['client']['calls'] {
    throw new Error('a dead shim is asked nothing');
  },
  connect: () => Promise.reject(new Error('a dead shim cannot be connected to')),
  disconnected: () => Promise.resolve(),
  close: () => undefined,
};
