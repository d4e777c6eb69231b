/**
 * dockerd: the Docker Engine API on a socket, containers on disk, and everything that runs through containerd.
 * Upstream: moby cmd/dockerd, daemon/command/daemon.go.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { native } from '../native/load.ts';
import { messageOf } from '../protocol/errdefs.ts';
import { exporterFromEnvironment } from '../tracing/exporter.ts';
import { Tracer } from '../tracing/tracer.ts';
import { ClientProcesses, DOCKER_CLIENTS } from '../transport/client-processes.ts';
import { createApiServer } from './api/server.ts';
import { readConfigFile } from './config-file.ts';
import {
  chooseSnapshotter,
  connectContainerd,
  ensureNamespace,
  type Storage,
} from './containerd-client/channel.ts';
import { ExecClient } from './containerd-client/execs.ts';
import { MeasureClient } from './containerd-client/measures.ts';
import { ImageClient } from './containerd-client/images.ts';
import { TaskClient } from './containerd-client/tasks.ts';
import { ExecStore } from './container/exec.ts';
import { ContainerStore } from './container/container-store.ts';
import { Runtimes } from './container/runtimes.ts';
import { startAtBoot } from './daemon/auto-restart.ts';
import { removeViews } from './daemon/container-root.ts';
import type { Daemon } from './daemon/daemon.ts';
import { EventLog } from './daemon/events.ts';
import { holdVolumes } from './daemon/mounts.ts';
import { followTasks, shutDown } from './daemon/restore.ts';
import { ENGINE_VERSION, tellReload } from './daemon/system.ts';
import { ImageStore } from './images/image-store.ts';
import { accessWarnings, listen, listenWarnings } from './listen.ts';
import { hostText } from './listen-address.ts';
import { HELP, parseOptions, type DockerdOptions } from './options.ts';
import { writePidfile } from './pidfile.ts';
import { daemonBackend } from './server.ts';
import { NetworkController } from './libnetwork/controller.ts';
import { removeEverythingOf } from './libnetwork/host-side.ts';
import { VolumeStore } from './volumes/volume-store.ts';

const say = (sentence: string): void => {
  process.stderr.write(`dockerd: ${sentence}\n`);
};

const protectionOf = ({ tls, isTlsDenied }: DockerdOptions) => ({
  hasTls: tls !== null,
  verifiesClients: tls?.verifiesClients ?? false,
  isChosen: isTlsDenied,
});

const makeDaemon = (options: DockerdOptions, tracer: Tracer, signal: AbortSignal): Daemon => {
  const channel = connectContainerd({
    socketPath: options.containerd,
    tracer,
    credentialsOfPeer: (fd) => native.peerCredentials(fd),
  });
  // What it is called is asked when containerd answers.
  const storage: Storage = { snapshotter: 'overlayfs', unpacking: new Map() };
  const images = new ImageClient(channel, storage);
  return {
    options: { ...options, accessWarnings: accessWarnings(options.hosts, protectionOf(options)) },
    storage,
    channel,
    tasks: new TaskClient(channel, storage),
    execClient: new ExecClient(channel),
    measures: new MeasureClient(channel),
    images,
    imageStore: new ImageStore(images),
    execs: new ExecStore(),
    runtimes: new Runtimes({
      added: options.addedRuntimes,
      defaultName: options.defaultRuntime,
      shim: options.shim,
      stateRoot: join(options.execRoot, 'runtime-runc'),
    }),
    store: new ContainerStore(join(options.dataRoot, 'containers')),
    volumes: new VolumeStore(join(options.dataRoot, 'volumes')),
    networks: new NetworkController({
      dataRoot: options.dataRoot,
      storeRoot: join(options.dataRoot, 'network'),
      defaultIpv6: options.ipv6,
      native,
      tracer,
    }),
    events: new EventLog(),
    tracer,
    native,
    lifecycle: { isShuttingDown: false },
    signal,
  };
};

/** A file with a mistake in it changes nothing. Upstream: moby daemon/command/daemon.go reloadConfig. */
const reload = (daemon: Daemon, { configFile }: DockerdOptions): void => {
  if (configFile === null) return;
  try {
    daemon.options.isLiveRestore = readConfigFile(configFile).liveRestore ?? false;
    say(`reloaded configuration: live-restore is ${daemon.options.isLiveRestore}`);
    tellReload(daemon);
  } catch (error) {
    say(messageOf(error));
  }
};

const serve = async (options: DockerdOptions): Promise<void> => {
  const removePidfile = options.pidfile === null ? () => undefined : writePidfile(options.pidfile);
  const tracer = new Tracer('dockerd', exporterFromEnvironment());
  const stopping = new AbortController();
  const daemon = makeDaemon(options, tracer, stopping.signal);
  await removeViews(daemon);
  await daemon.store.load();
  // Side by side on the disk they would cost ext4 a search for each new file among those of all that have just gone.
  native.spreadFolders(daemon.store.root);
  await daemon.volumes.load();
  await daemon.networks.load();
  holdVolumes(daemon);

  // From here on a signal ends us in good order, also while we still wait for containerd.
  const backend = daemonBackend(daemon);
  const clients = new ClientProcesses(tracer, native, DOCKER_CLIENTS);
  const listeners = options.hosts.map((address) => ({
    address,
    isOpen: false,
    server: createApiServer({
      backend,
      tracer,
      clients,
      tls: address.kind === 'tcp' ? (options.tls?.options ?? null) : null,
    }),
  }));
  let isStopping = false;
  const stop = async (exitCode: number): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    say('stopping');
    for (const { server } of listeners) server.close();
    // Exits are still told while containers are being stopped.
    await shutDown(daemon);
    daemon.networks.takeDown();
    stopping.abort();
    for (const { server } of listeners) server.closeAllConnections();
    await tracer.flush();
    daemon.channel.close();
    for (const { address, isOpen } of listeners) {
      if (isOpen && address.kind === 'unix') rmSync(address.path, { force: true });
    }
    removePidfile();
    process.exit(exitCode);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(0));
  process.on('SIGHUP', () => reload(daemon, options));

  try {
    await bringUp(daemon, options);
    // What was adopted is told before anybody can ask.
    void tracer.flush();
    for (const listener of listeners) {
      for (const line of listenWarnings(listener.address, protectionOf(options))) say(line);
      const bound = await listen(listener.server, listener.address);
      listener.isOpen = true;
      say(`API listen on ${bound.kind === 'unix' ? bound.path : hostText(bound)}`);
    }
  } catch (error) {
    say(messageOf(error));
    await stop(1);
  }
};

/** Everything but the API: networks, storage, and the containers that restart with us. */
const bringUp = async (
  daemon: Daemon,
  { containerd, storageDriver }: DockerdOptions,
): Promise<void> => {
  say(`waiting for containerd at ${containerd}`);
  await new Promise<void>((resolve) => {
    // Runs as long as we do; the promise that it returns ends with the abort.
    void followTasks(daemon, resolve);
  });
  daemon.networks.settle();
  daemon.storage.snapshotter = await chooseSnapshotter(daemon.channel, storageDriver);
  await ensureNamespace(daemon.channel);
  await startAtBoot(daemon);
};

const main = async (): Promise<void> => {
  process.title = 'dockerd';
  // The reader of our messages may be gone; that is no reason to go as well.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(HELP);
  else if (options === 'version') process.stdout.write(`Docker version ${ENGINE_VERSION}\n`);
  else if (options.removesNetworks) removeEverythingOf(native, options.dataRoot);
  else await serve(options);
};

main().catch((error: unknown) => {
  say(messageOf(error));
  process.exit(1);
});
