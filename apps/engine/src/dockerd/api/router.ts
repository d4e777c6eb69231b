/**
 * The API, one route a line. README.md holds the same table; a test compares the two.
 * Upstream: moby daemon/server/router/container/container.go and its neighbours.
 */
import type { Level } from '../../protocol/trace/event.ts';
import type { Backend } from './backend.ts';
import type { Exchange } from './exchange.ts';
import {
  attachContainer,
  attachWebSocket,
  containerLogs,
  createContainer,
  inspectContainer,
  killContainer,
  listContainers,
  pauseContainer,
  removeContainer,
  renameContainer,
  resizeContainer,
  restartContainer,
  startContainer,
  stopContainer,
  unpauseContainer,
  waitContainer,
} from './routes/containers.ts';
import { containerChanges, exportContainer, getArchive, putArchive } from './routes/archive.ts';
import {
  containerStats,
  pruneContainers,
  topContainer,
  updateContainer,
} from './routes/measures.ts';
import { createExec, inspectExec, resizeExec, startExec } from './routes/exec.ts';
import {
  createImage,
  imageHistory,
  inspectDistribution,
  inspectImage,
  listImages,
  loadImages,
  pruneImages,
  pushImage,
  removeImage,
  saveImage,
  saveImages,
  tagImage,
} from './routes/images.ts';
import { commitContainer } from './routes/commit.ts';
import {
  connectNetwork,
  createNetwork,
  disconnectNetwork,
  inspectNetwork,
  inspectPlugin,
  listNetworks,
  listPlugins,
  pruneNetworks,
  removeNetwork,
} from './routes/networks.ts';
import { noBuild, noSearch, noSwarm, noSwarmToLeave } from './routes/refused.ts';
import {
  createVolume,
  inspectVolume,
  listVolumes,
  pruneVolumes,
  removeVolume,
} from './routes/volumes.ts';
import {
  checkAuth,
  getDiskUsage,
  getInfo,
  getVersion,
  ping,
  pruneBuildCache,
  streamEvents,
} from './routes/system.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly level: Level;
  readonly handle: (backend: Backend, exchange: Exchange) => Promise<void> | void;
  /** The handler reads the body itself, piece by piece. */
  readonly isUpload?: true;
}

const route = (
  method: Route['method'],
  path: string,
  level: Level,
  handle: Route['handle'],
): Route => ({ method, path, level, handle });

export const ROUTES: readonly Route[] = [
  route('GET', '/_ping', 'detail', ping),
  route('GET', '/version', 'step', getVersion),
  route('GET', '/info', 'step', getInfo),
  route('GET', '/events', 'step', streamEvents),
  route('GET', '/system/df', 'step', getDiskUsage),
  route('POST', '/auth', 'step', checkAuth),

  route('POST', '/containers/create', 'chapter', createContainer),
  route('GET', '/containers/json', 'step', listContainers),
  route('GET', '/containers/{name}/json', 'step', inspectContainer),
  route('POST', '/containers/{name}/start', 'chapter', startContainer),
  route('POST', '/containers/{name}/attach', 'step', attachContainer),
  route('GET', '/containers/{name}/attach/ws', 'step', attachWebSocket),
  route('POST', '/containers/{name}/wait', 'step', waitContainer),
  route('POST', '/containers/{name}/resize', 'detail', resizeContainer),
  route('GET', '/containers/{name}/logs', 'step', containerLogs),
  route('POST', '/containers/{name}/stop', 'chapter', stopContainer),
  route('POST', '/containers/{name}/restart', 'chapter', restartContainer),
  route('POST', '/containers/{name}/kill', 'chapter', killContainer),
  route('POST', '/containers/{name}/rename', 'step', renameContainer),
  route('DELETE', '/containers/{name}', 'chapter', removeContainer),
  route('POST', '/containers/{name}/exec', 'step', createExec),
  route('POST', '/exec/{name}/start', 'chapter', startExec),
  route('POST', '/exec/{name}/resize', 'detail', resizeExec),
  route('GET', '/exec/{name}/json', 'detail', inspectExec),
  route('GET', '/containers/{name}/top', 'step', topContainer),
  route('GET', '/containers/{name}/stats', 'step', containerStats),
  route('POST', '/containers/{name}/pause', 'step', pauseContainer),
  route('POST', '/containers/{name}/unpause', 'step', unpauseContainer),
  route('POST', '/containers/{name}/update', 'step', updateContainer),
  route('GET', '/containers/{name}/changes', 'step', containerChanges),
  route('GET', '/containers/{name}/export', 'step', exportContainer),
  route('GET', '/containers/{name}/archive', 'step', getArchive),
  { ...route('PUT', '/containers/{name}/archive', 'step', putArchive), isUpload: true },
  route('POST', '/containers/prune', 'step', pruneContainers),

  route('GET', '/images/json', 'step', listImages),
  { ...route('POST', '/images/create', 'chapter', createImage), isUpload: true },
  { ...route('POST', '/images/load', 'step', loadImages), isUpload: true },
  route('GET', '/images/get', 'step', saveImages),
  route('POST', '/images/prune', 'step', pruneImages),
  route('GET', '/images/{name}/json', 'step', inspectImage),
  route('GET', '/images/{name}/history', 'step', imageHistory),
  route('GET', '/images/{name}/get', 'step', saveImage),
  route('POST', '/images/{name}/push', 'step', pushImage),
  route('POST', '/images/{name}/tag', 'step', tagImage),
  route('DELETE', '/images/{name}', 'step', removeImage),
  route('GET', '/distribution/{name}/json', 'step', inspectDistribution),
  route('POST', '/commit', 'step', commitContainer),
  { ...route('POST', '/build', 'step', noBuild), isUpload: true },
  route('POST', '/build/prune', 'step', pruneBuildCache),
  route('GET', '/images/search', 'step', noSearch),

  route('GET', '/networks', 'step', listNetworks),
  route('POST', '/networks/create', 'step', createNetwork),
  route('POST', '/networks/prune', 'step', pruneNetworks),
  route('GET', '/networks/{name}', 'detail', inspectNetwork),
  route('POST', '/networks/{name}/connect', 'step', connectNetwork),
  route('POST', '/networks/{name}/disconnect', 'step', disconnectNetwork),
  route('DELETE', '/networks/{name}', 'step', removeNetwork),
  route('GET', '/volumes', 'step', listVolumes),
  route('POST', '/volumes/create', 'step', createVolume),
  route('POST', '/volumes/prune', 'step', pruneVolumes),
  route('GET', '/volumes/{name}', 'detail', inspectVolume),
  route('DELETE', '/volumes/{name}', 'step', removeVolume),
  route('GET', '/plugins', 'detail', listPlugins),
  route('GET', '/plugins/{name}/json', 'detail', inspectPlugin),
  ...['swarm', 'nodes', 'services', 'tasks', 'secrets', 'configs'].map((noun) =>
    route('GET', `/${noun}`, 'detail', noSwarm),
  ),
  route('POST', '/swarm/init', 'step', noSwarm),
  route('POST', '/swarm/join', 'step', noSwarm),
  route('POST', '/swarm/leave', 'step', noSwarmToLeave),
  ...['services', 'secrets', 'configs'].map((noun) =>
    route('POST', `/${noun}/create`, 'step', noSwarm),
  ),
  ...['nodes', 'services', 'tasks', 'secrets', 'configs'].map((noun) =>
    route('GET', `/${noun}/{name}`, 'detail', noSwarm),
  ),
];
