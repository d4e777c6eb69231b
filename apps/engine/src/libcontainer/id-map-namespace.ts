/**
 * A map of ids in the only form in which mount_setattr(2) takes one: a user namespace that has it. The helper makes the
 * namespace for itself and waits while its maps are written and it is taken hold of; when it leaves, the descriptor
 * keeps it.
 * user_namespaces(7), mount_setattr(2) MOUNT_ATTR_IDMAP. Upstream: runc 1.2 libcontainer/internal/userns/.
 */
import { openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import type { Native } from '../../../../native/native.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import { FD, SLOT } from './compilation.ts';
import { nativeArchitecture } from './host-facts.ts';
import { withNullStdio } from './null-stdio.ts';
import { CLONE } from './plan/constants.ts';
import { flags, StageBuilder } from './plan/stage-builder.ts';
import type { Plan } from './plan/step.ts';
import type { IdMap, Mappings } from './rootfs/id-maps.ts';
import { type RunningPlan, runPlan } from './run-plan.ts';
import { hear, say } from './sync-words.ts';

const WORD = new TextEncoder().encode('1');

interface Context {
  readonly native: Native;
  readonly tracer: Tracer;
  readonly span: Span;
  readonly id: string;
  readonly bundle: string;
}

const plan = (): Plan => {
  const runc = new StageBuilder(nativeArchitecture());
  runc.call('unshare', [flags(CLONE, CLONE.CLONE_NEWUSER)], {
    title: 'a user namespace that nobody will live in: only its map is wanted',
    object: 'namespace',
    source: __SOURCE__,
    reference: 'man:mount_setattr(2)',
    purpose: 'id map',
  });
  say(runc, SLOT.hooks, 'ask for the maps', 'id map');
  hear(runc, SLOT.hooks, 'wait until the namespace is held', 'id map');
  return { parent: runc.steps, init: [], preset: { [SLOT.hooks]: FD.firstHandedIn } };
};

const linesOf = (maps: Mappings): string =>
  maps.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');

const holdNamespace = (pid: number, { uids, gids }: IdMap): number => {
  writeFileSync(`/proc/${pid}/uid_map`, linesOf(uids));
  writeFileSync(`/proc/${pid}/gid_map`, linesOf(gids));
  return openSync(`/proc/${pid}/ns/user`, 'r');
};

/** Resolves with a descriptor of the namespace, which the caller closes. */
const makeNamespace = async (map: IdMap, context: Context): Promise<number> => {
  const { native, tracer, span, id, bundle } = context;
  const [ours, theirs] = native.socketpair();
  let running: RunningPlan;
  try {
    running = await withNullStdio((stdio) =>
      Promise.resolve(
        runPlan({
          ...{ native, tracer, span, stdio, cwd: bundle, containerId: id },
          plan: plan(),
          argv: ['runc', 'id-map', id],
          extraFds: [theirs],
        }),
      ),
    );
  } catch (error) {
    native.close(ours);
    throw error;
  } finally {
    native.close(theirs);
  }
  try {
    const isAsked = await new Promise<boolean>((resolve) => {
      const stop = native.watchReadable(ours, () => {
        stop();
        resolve(readSync(ours, new Uint8Array(1)) === 1);
      });
    });
    if (!isAsked) throw new Error('no user namespace can be made');
    const held = holdNamespace(running.pid, map);
    writeSync(ours, WORD);
    return held;
  } catch (error) {
    throw new EngineError('invalid_argument', `cannot make an id map: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    native.close(ours);
    await running.exited;
  }
};

/** One for each map, in their order; all or none. */
export const makeIdMapNamespaces = async (
  maps: readonly IdMap[],
  context: Context,
): Promise<readonly number[]> => {
  const held: number[] = [];
  try {
    for (const map of maps) held.push(await makeNamespace(map, context));
    return held;
  } catch (error) {
    for (const fd of held) context.native.close(fd);
    throw error;
  }
};
