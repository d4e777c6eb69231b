/** Where the API and the daemon meet: each call of the API becomes a verb of the daemon. */
import type { Backend } from './api/backend.ts';
import { streamEncoder } from './api/multiplexed-stream.ts';
import type { ContainerStatus } from '../protocol/docker-engine-api/containers.ts';
import { EngineError, kindOf, messageOf } from '../protocol/errdefs.ts';
import { parseDetachKeys } from './container/detach-keys.ts';
import {
  changesOf,
  exportContainer,
  getArchive,
  putArchive,
  statInContainer,
} from './daemon/archive.ts';
import { attach } from './daemon/attach.ts';
import { commit } from './daemon/commit.ts';
import { create } from './daemon/create.ts';
import type { Daemon } from './daemon/daemon.ts';
import { diskUsage } from './daemon/disk-usage.ts';
import { eventMatches } from './daemon/events.ts';
import { createExec, inspectExec, resizeExec, startExec } from './daemon/exec.ts';
import { imageHistory } from './daemon/image-history.ts';
import { pruneImages, removeImage } from './daemon/image-remove.ts';
import { tagImage } from './daemon/image-tag.ts';
import { inspectImage, listImages, loadArchive, saveArchive } from './daemon/images.ts';
import { importImage } from './daemon/import.ts';
import { inspect } from './daemon/inspect.ts';
import { kill, stop } from './daemon/kill.ts';
import { list } from './daemon/list.ts';
import { login } from './daemon/login.ts';
import { logs } from './daemon/logs.ts';
import {
  connectNetwork,
  createNetwork,
  disconnectNetwork,
  inspectNetwork,
  listNetworks,
  pruneNetworks,
  removeNetwork,
} from './daemon/networks.ts';
import { pause, unpause } from './daemon/pause.ts';
import { pruneContainers } from './daemon/prune.ts';
import { inspectDistribution } from './daemon/distribution.ts';
import { pullImage } from './daemon/pull.ts';
import { pushImage } from './daemon/push.ts';
import { remove } from './daemon/remove.ts';
import { removeLink } from './daemon/links.ts';
import { rename, resize } from './daemon/rename.ts';
import { restart } from './daemon/restart.ts';
import { start } from './daemon/start.ts';
import { NO_READING, statsAnswer, takeReading } from './daemon/stats.ts';
import { ENGINE_VERSION, info, version } from './daemon/system.ts';
import { top } from './daemon/top.ts';
import { update } from './daemon/update.ts';
import {
  createVolume,
  inspectVolume,
  listVolumes,
  pruneVolumes,
  removeVolume,
} from './daemon/volumes.ts';
import { wait } from './daemon/wait.ts';

const CANNOT_ATTACH: Partial<Record<ContainerStatus, string>> = {
  paused: 'is paused, unpause the container before attach',
  restarting: 'is restarting, wait until the container is running',
};

export const daemonBackend = (daemon: Daemon): Backend => {
  const find = (reference: string) => daemon.store.find(reference);
  return {
    origin: (reference) => {
      try {
        const { id, record } = find(reference);
        return { id, traceId: record.createdIn?.traceId ?? null };
      } catch {
        // The request itself says that it is not there.
        return null;
      }
    },
    create: (request) => create(daemon, request),
    start: async (reference) => start(daemon, find(reference)),
    stop: async (reference, options) => stop(daemon, find(reference), options),
    restart: async (reference, options) => restart(daemon, find(reference), options),
    update: async (reference, asked) => update(daemon, find(reference), asked),
    pruneContainers: (filters) => pruneContainers(daemon, filters),
    top: async (reference, psArgs) => top(daemon, find(reference), psArgs),
    stats: (reference) => {
      const container = find(reference);
      let before = NO_READING;
      return async () => {
        const now = await takeReading(daemon, container);
        const answer = statsAnswer(container, now, before);
        before = now;
        const isGone = daemon.store.byId(container.id) !== container;
        return { answer, isOver: now === NO_READING, isGone };
      };
    },
    statPath: async (reference, path) => statInContainer(daemon, find(reference), path),
    getArchive: async (reference, path, accept) =>
      getArchive(daemon, find(reference), path, accept),
    putArchive: async (reference, archive, options) =>
      putArchive(daemon, find(reference), archive, options),
    exportContainer: async (reference, accept) => exportContainer(daemon, find(reference), accept),
    changes: async (reference) => changesOf(daemon, find(reference)),
    kill: async (reference, signal) => {
      let container;
      try {
        container = find(reference);
      } catch (error) {
        const sentence = `cannot kill container: ${reference}: ${messageOf(error)}`;
        throw new EngineError(kindOf(error), sentence, { cause: error });
      }
      await kill(daemon, container, signal);
    },
    pause: async (reference) => pause(daemon, find(reference)),
    unpause: async (reference) => unpause(daemon, find(reference)),
    remove: async (reference, options) => remove(daemon, find(reference), options),
    removeLink: async (name) => removeLink(daemon, name),
    rename: async (reference, to) => rename(daemon, find(reference), to),
    resize: async (reference, size) => resize(daemon, find(reference), size),
    inspect: async (reference, options) => inspect(daemon, find(reference), options),
    list: (options) => list(daemon, options),
    wait: (reference, condition, signal) => wait(find(reference), condition, signal),
    attach: async (reference, request, accept) => {
      const container = find(reference);
      const obstacle = CANNOT_ATTACH[container.state.status];
      if (obstacle) throw new EngineError('conflict', `container ${reference} ${obstacle}`);
      const isTerminal = container.record.config.Tty;
      const options = {
        ...request,
        hasStdin: request.hasStdin && container.record.config.OpenStdin,
        encode: streamEncoder(isTerminal || !request.isMultiplexed),
        detachKeys: isTerminal ? parseDetachKeys(request.detachKeys) : null,
      };
      await attach(daemon, container, accept({ isTerminal }), options);
    },
    logs: async (reference, query, signal) => {
      const container = find(reference);
      return {
        isTerminal: container.record.config.Tty,
        entries: await logs(container, query, signal),
      };
    },

    execOrigin: (id) => {
      const exec = daemon.execs.byId(id);
      return exec
        ? { id: exec.container.id, traceId: exec.container.record.createdIn?.traceId ?? null }
        : null;
    },
    createExec: async (reference, config) => createExec(daemon, find(reference), config),
    startExec: async (id, { isRaw, ...options }) =>
      startExec(daemon, daemon.execs.find(id), { ...options, encode: streamEncoder(isRaw) }),
    inspectExec: (id) => inspectExec(daemon.execs.find(id)),
    resizeExec: async (id, size) => resizeExec(daemon, daemon.execs.find(id), size),

    listImages: (filters) => listImages(daemon, filters),
    inspectImage: (reference) => inspectImage(daemon, reference),
    loadImages: (archive) => loadArchive(daemon, archive),
    inspectDistribution: (name, options) => inspectDistribution(daemon, name, options),
    pullImage: (request) => pullImage(daemon, request),
    login: (credentials, address) => login(daemon, credentials, address),
    pushImage: (request) => pushImage(daemon, request),
    importImage: (request) => importImage(daemon, request),
    commit: async (reference, request) => commit(daemon, find(reference), request),
    tagImage: (reference, to) => tagImage(daemon, reference, to),
    imageHistory: (reference) => imageHistory(daemon, reference),
    saveImages: (references) => saveArchive(daemon, references),
    removeImage: (reference, options) => removeImage(daemon, reference, options),
    pruneImages: (filters) => pruneImages(daemon, filters),

    listVolumes: (filters) => listVolumes(daemon, filters),
    inspectVolume: (name) => inspectVolume(daemon, name),
    createVolume: (request) => createVolume(daemon, request),
    removeVolume: (name, options) => removeVolume(daemon, name, options),
    pruneVolumes: (filters, options) => pruneVolumes(daemon, filters, options),

    engineVersion: ENGINE_VERSION,
    version: () => version(daemon),
    info: () => info(daemon),
    diskUsage: (types) => diskUsage(daemon, types),
    pastEvents: (since, until) => daemon.events.between(since, until),
    listen: (listener) => daemon.events.listen(listener),
    eventMatches,

    listNetworks: (filters) => listNetworks(daemon, filters),
    inspectNetwork: (reference) => inspectNetwork(daemon, reference),
    createNetwork: (request) => createNetwork(daemon, request),
    removeNetwork: (reference) => removeNetwork(daemon, reference),
    pruneNetworks: (filters) => pruneNetworks(daemon, filters),
    connectNetwork: (reference, request) => connectNetwork(daemon, reference, request),
    disconnectNetwork: (reference, request) => disconnectNetwork(daemon, reference, request),
  };
};
