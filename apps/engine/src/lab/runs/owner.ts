/** Whose the containers and volumes are that a command names: only the engine knows. */
import type { RunRefused } from '../gateway/api-routes.ts';
import type { Learner } from '../gateway/guard.ts';
import { LEARNER_LABEL } from '../policy/limits.ts';
import type { Allowed } from '../policy/policy.ts';
import type { EngineClient } from './engine-client.ts';

export const checkOwner = async (
  engine: EngineClient,
  { containers, volumes, createsContainer }: Allowed,
  learner: Learner,
): Promise<RunRefused | null> => {
  for (const reference of containers) {
    const labels = await engine.labels(reference);
    // What does not exist is the engine's to say, in its own words.
    if (labels !== null && labels[LEARNER_LABEL] !== learner.id) {
      return {
        status: 403,
        message: `the container ${reference} was not made from this page, so the page leaves it alone`,
      };
    }
  }
  for (const name of volumes) {
    const volume = await engine.volume(name);
    // docker run would make it, and then it would be nobody's.
    if (volume === null && createsContainer) {
      return {
        status: 403,
        message: `there is no volume ${name} of yours: make it with docker volume create ${name}`,
      };
    }
    if (volume !== null && volume.labels[LEARNER_LABEL] !== learner.id) {
      return {
        status: 403,
        message: `the volume ${name} was not made from this page, so the page leaves it alone`,
      };
    }
  }
  return null;
};
