/** Routes of Docker's that this daemon does not serve: said, not hidden, with what to do instead. */
import { EngineError } from '../../../protocol/errdefs.ts';
import type { Backend } from '../backend.ts';
import type { Exchange } from '../exchange.ts';

type Handler = (backend: Backend, exchange: Exchange) => never;

export const refuse =
  (sentence: string): Handler =>
  () => {
    throw new EngineError('not_implemented', sentence);
  };

export const noBuild = refuse(
  'docker build is not supported by this daemon yet: pull an image, import a root file system (docker import), or commit a container',
);
export const noSearch = refuse(
  'docker search is not supported by this daemon yet: look on https://hub.docker.com and pull by name',
);

/** Also what clients ask when they leave no swarm behind, whether there is one or not. */
export const noSwarmToLeave: Handler = () => {
  throw new EngineError('unavailable', 'This node is not part of a swarm');
};

/** What clients ask to find out whether there is a swarm. Upstream: moby daemon/cluster/errors.go. */
export const noSwarm: Handler = () => {
  throw new EngineError(
    'unavailable',
    'This node is not a swarm manager. Swarm mode is not supported by this daemon.',
  );
};
