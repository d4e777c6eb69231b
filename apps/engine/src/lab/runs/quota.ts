/** How much of the engine a learner may have, and all of them together. */
import type { TraceStore } from '../collector/trace-store.ts';
import type { RunRefused } from '../gateway/api-routes.ts';
import type { Learner } from '../gateway/guard.ts';
import { LEARNER_LABEL, LIMITS } from '../policy/limits.ts';
import type { Allowed } from '../policy/policy.ts';
import type { EngineClient } from './engine-client.ts';

export interface QuotaQuestion {
  readonly engine: EngineClient;
  readonly store: TraceStore;
  readonly decision: Allowed;
  readonly learner: Learner;
  /** The learner's commands that go on, by trace. */
  readonly going: ReadonlyMap<string, { readonly ownsContainers: boolean }>;
}

/** Null when the command may go on, else why not. */
export const checkQuota = async ({
  engine,
  store,
  decision: { createsContainer, createsVolume },
  learner,
  going,
}: QuotaQuestion): Promise<RunRefused | null> => {
  if (going.size >= LIMITS.runs) {
    return {
      status: 429,
      message: `${LIMITS.runs} of your commands are still going on: wait for one, or stop one`,
    };
  }
  if (createsVolume) {
    const label = `${LEARNER_LABEL}=${learner.id}`;
    if ((await engine.countVolumes(LEARNER_LABEL)) >= LIMITS.all.volumes)
      return tooMany('volumes are there');
    if ((await engine.countVolumes(label)) < LIMITS.volumes) return null;
    return {
      status: 429,
      message: `you have ${LIMITS.volumes} volumes, the most that one may have: remove one with docker volume rm`,
    };
  }
  if (!createsContainer) return null;
  const theirs = await engine.list(LEARNER_LABEL, null, { all: true });
  if (theirs.length >= LIMITS.all.containers) return tooMany('containers are there');
  const existing = await engine.list(LEARNER_LABEL, learner.id, { all: true });
  const coming = [...going].filter(([traceId, { ownsContainers }]) => {
    const summary = store.summary(traceId);
    return ownsContainers && (summary?.containerIds.length ?? 0) === 0;
  });
  if (existing.length + coming.length < LIMITS.containers) return null;
  return {
    status: 429,
    message: `you have ${LIMITS.containers} containers, the most that one may have: remove one with docker rm -f`,
  };
};

export const NO_ROOM: RunRefused = {
  status: 429,
  message: 'too many commands are waiting for their turn already: try again later',
};

const tooMany = (what: string): RunRefused => ({
  status: 429,
  message: `so many ${what} that this lab takes no more, from nobody: try again later`,
});
