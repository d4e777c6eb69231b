/** Wires the parts of the lab by hand: what is collected is served, what is asked for is run, what dies is restarted. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import type { EngineStatus } from '../protocol/trace/stream.ts';
import { InProcessBus } from './bus/in-process-bus.ts';
import { NatsBus } from './bus/nats-bus.ts';
import type { Capabilities } from './capabilities.ts';
import { answerChecks } from './checks/check-service.ts';
import { EmitterCounters } from './collector/emitter-counters.ts';
import { Receiver } from './collector/receiver.ts';
import { TraceStore } from './collector/trace-store.ts';
import { loadEmbeddedImages } from './embedded-images.ts';
import { FaultService } from './faults/fault-service.ts';
import { GateKeeper } from './gates/gate-keeper.ts';
import { GateService } from './gates/gate-service.ts';
import { addressOf, AudienceDoor, reachOf } from './gateway/audience-door.ts';
import type { Backend } from './gateway/api-routes.ts';
import { Gateway } from './gateway/gateway.ts';
import type { LabOptions } from './options.ts';
import { pathsOf, webRoot, type Paths } from './paths.ts';
import { LIMITS } from './policy/limits.ts';
import { isAlive, processInfo } from './process-info.ts';
import { RoomFiles } from './rooms/room-files.ts';
import { RoomService } from './rooms/room-service.ts';
import { EngineClient } from './runs/engine-client.ts';
import { findDocker } from './runs/find-docker.ts';
import { RunService } from './runs/run-service.ts';
import { STRANGER } from './programs/socket-is-root.ts';
import { SocketProxy } from './socket-proxy/socket-proxy.ts';
import { TerminalService } from './terminal/terminal-service.ts';
import { ownerOfUnixSocket } from './socket-owner.ts';
import { findLiving } from './supervisor/process-record.ts';
import { canConnect } from './supervisor/socket-ready.ts';
import { dockerdFlags } from './swapped-parts.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import { watchExitWith } from './supervisor/watch-exit.ts';
import { keepToken, urlOf } from './token.ts';

export interface StartedLab {
  readonly url: string;
  /** Where the audience goes; null when there is no door for it. */
  readonly audienceUrl: string | null;
  readonly paths: Paths;
  readonly status: () => EngineStatus;
  /** Resolves when each daemon was tried once. */
  readonly daemons: Promise<void>;
  readonly runningContainers: () => Promise<number>;
  readonly stop: () => Promise<void>;
  /** The last words of a daemon that does not start. */
  readonly problems: () => readonly string[];
}

export const startLab = async (
  options: LabOptions,
  { reason, native }: Capabilities,
): Promise<StartedLab> => {
  const paths = pathsOf(options);
  const swapped = dockerdFlags(options);
  // Others may pass through to the sockets, whose own modes say who may speak.
  for (const root of [paths.execRoot, paths.dataRoot])
    mkdirSync(root, { recursive: true, mode: 0o711 });
  mkdirSync(paths.lab, { recursive: true, mode: 0o700 });
  mkdirSync(paths.traces, { recursive: true, mode: 0o700 });
  await refuseSecondLab(paths);

  const bus = options.bus === null ? new InProcessBus() : await connectBus(options.bus);
  const store = new TraceStore({ directory: paths.traces, isAlive });
  await store.load();
  const receiver = receiverInto(store, paths.traceSocket);
  await receiver.listen();
  const gates = new GateKeeper({ folder: paths.gates });
  await gates.listen();

  const engine = new EngineClient(paths.dockerSocket);
  store.ignore(engine.traceId);
  const canLaunch = reason === null && native !== null;
  let imagesLoaded: Promise<void> | null = null;
  const supervisor: Supervisor | null = canLaunch
    ? new Supervisor({
        paths,
        cgroupParent: options.cgroupParent,
        liveRestore: options.liveRestore,
        swapped,
        registryMirrors: options.registryMirrors,
        watchExit: watchExitWith(native),
        tellTraces: (make) => {
          const concerned = new Set([
            ...store.runningTraceIds(),
            ...(faults?.watchingTraceIds ?? []),
          ]);
          for (const traceId of concerned) store.accept(make(traceId));
        },
        causeOfDeath: (pid) => faults?.causeOfDeath(pid) ?? null,
        onChange: () => {
          gateway.hub.engineChanged();
          // Once is enough: the engine keeps them over its restarts.
          if (supervisor?.dockerd.state === 'running') imagesLoaded ??= loadEmbeddedImages(engine);
        },
      })
    : null;
  const faults: FaultService | null =
    supervisor && native
      ? new FaultService({
          store,
          engine,
          dockerd: supervisor.dockerd,
          containerd: supervisor.containerd,
          native,
          containerdSocket: paths.containerdSocket,
          daemonConfig: paths.daemonConfig,
          liveRestore: options.liveRestore,
          pauseMs: options.faultPauseMs,
        })
      : null;
  const status = (): EngineStatus => ({
    canLaunch,
    reason,
    daemons: supervisor?.status() ?? [],
    dockerSocket: paths.dockerSocket,
    limits: { maxContainers: LIMITS.containers, runTimeoutMs: LIMITS.runMs },
  });

  const proxy = native
    ? new SocketProxy({
        socketPath: paths.proxySocket,
        owner: STRANGER,
        dockerSocket: paths.dockerSocket,
        peerCredentials: (fd) => native.peerCredentials(fd),
        tell: (event) => store.accept(event),
      })
    : null;
  const runs = new RunService({
    store,
    engine,
    gates,
    dockerFile: findDocker(),
    dockerSocket: paths.dockerSocket,
    traceSocket: paths.traceSocket,
    clientHome: paths.clients,
    execRoot: paths.execRoot,
    labFolder: paths.lab,
    proxySocket: async () => {
      await proxy?.listen();
      return paths.proxySocket;
    },
    whyNot: () => whyNot(status()),
    maxRuns: options.maxRuns,
    onMove: (learner, ahead) => gateway.hub.tellPlace(learner, ahead),
  });
  const token = options.auth ? keepToken(paths.lab) : null;
  const check: Backend['check'] = (request, learner) =>
    answerChecks(request, learner, {
      inspect: (name) => engine.inspect(name),
      volume: (name) => engine.volume(name),
      dockerdIsBack: async () => supervisor?.dockerdIsBack(),
      daemons: () => status().daemons,
      traces: () => store.summaries().filter(({ traceId }) => store.maySee(traceId, learner.id)),
      eventsOf: async (traceId) =>
        store.maySee(traceId, learner.id) ? store.events(traceId) : null,
    });
  let audienceUrl: string | null = null;
  const { audience, audienceUrl: publicUrl } = options;
  const rooms = new RoomService({
    bus,
    store,
    engine: status,
    run: (command, learner) => runs.run(command, learner),
    check,
    files: new RoomFiles(join(paths.lab, 'rooms')),
    reach: () => ({ audienceUrl, reach: reachOf(audience?.host ?? null, publicUrl) }),
    sendToAll: native && ((sockets, bytes) => native.sendToAll(sockets, bytes)),
  });
  const gateway = new Gateway({
    rooms,
    terminals: new TerminalService({
      dockerSocket: paths.dockerSocket,
      engine,
      store,
      whyNot: () => whyNot(status()),
    }),
    host: options.host,
    port: options.port,
    token,
    webRoot: webRoot(),
    backend: {
      store,
      engine: status,
      run: (command, learner, wanted, gone) => runs.run(command, learner, wanted, gone),
      stop: (traceId, learner) => runs.stop(traceId, learner),
      fault: async (request, learner) =>
        (await faults?.inject(request, learner)) ?? {
          status: 503,
          message: whyNot(status()) ?? 'this server has nothing to break',
        },
      gates: new GateService(gates, (traceId, learner) => runs.isRunOf(traceId, learner)),
      check,
    },
  });
  const door = audience && new AudienceDoor({ ...audience, webRoot: webRoot(), rooms, publicUrl });
  const listen = async (): Promise<number> => {
    if (door && audience) audienceUrl = addressOf({ ...audience, publicUrl }, await door.listen());
    return gateway.listen();
  };
  const port = await listen().catch(async (error: unknown) => {
    await door?.close();
    await gates.close();
    await receiver.close();
    await bus.close();
    throw error;
  });

  return {
    url: urlOf(options.host, port, token),
    audienceUrl,
    paths,
    status,
    daemons: supervisor?.start().then(() => imagesLoaded ?? undefined) ?? Promise.resolve(),
    runningContainers: () => engine.count(),
    problems: () =>
      [supervisor?.containerd, supervisor?.dockerd].flatMap((daemon) =>
        daemon && daemon.state !== 'running'
          ? [`${daemon.spec.actor}: ${daemon.lastWords()} (${daemon.spec.logPath})`]
          : [],
      ),
    stop: async () => {
      runs.close();
      faults?.close();
      // dockerd knows that it ends before a gate lets go: no program begins now, to be waited for ten seconds.
      const daemonsStopped = supervisor?.stop();
      await gates.close();
      await proxy?.close();
      await daemonsStopped;
      rooms.close();
      await store.close();
      await gateway.close();
      await door?.close();
      await bus.close();
      await receiver.close();
    },
  };
};

const connectBus = (url: string): Promise<NatsBus> =>
  NatsBus.connect(url).catch((error: unknown) => {
    throw new EngineError(
      'unavailable',
      `the broker of --bus cannot be reached: ${messageOf(error)}. Start it first, or leave out --bus`,
    );
  });

const receiverInto = (store: TraceStore, socketPath: string): Receiver => {
  const labStartTime = BigInt(processInfo(process.pid)?.startTime ?? '0');
  const counters = new EmitterCounters(
    (pid) => BigInt(processInfo(pid)?.startTime ?? '0') < labStartTime,
  );
  let problems = 0;
  return new Receiver({
    socketPath,
    onEvent: (event, json) => {
      const dropped = counters.check(event);
      if (dropped) store.acceptDropped(dropped);
      store.accept(event, json);
    },
    onProblem: (problem) => {
      // Whoever sends rubbish, sends much of it.
      if (problems++ < 20) console.error(`lab: an event was thrown away: ${problem}`);
    },
  });
};

/** Two labs on one exec root would fight over the same daemons; two engines cannot share a socket. */
const refuseSecondLab = async (paths: Paths): Promise<void> => {
  const owner = (path: string): string => ownerOfUnixSocket(path) ?? 'another process';
  if (await canConnect(paths.traceSocket)) {
    throw new EngineError(
      'conflict',
      `Engine Room already runs here: ${owner(paths.traceSocket)} uses ${paths.execRoot}. ` +
        'Stop it, or start this one with another --exec-root, --data-root and --port',
    );
  }
  const isOurs = findLiving({
    recordPath: join(paths.lab, 'dockerd.json'),
    pidfile: join(paths.execRoot, 'dockerd.pid'),
    mark: paths.dockerSocket,
  });
  if (!isOurs && (await canConnect(paths.dockerSocket))) {
    throw new EngineError(
      'conflict',
      `the socket ${paths.dockerSocket} is in use by a living engine: ${owner(paths.dockerSocket)}. ` +
        'Choose another path with --docker-socket',
    );
  }
};

const whyNot = ({ canLaunch, reason, daemons }: EngineStatus): string | null => {
  if (!canLaunch) return `this server cannot start containers: ${reason ?? 'unknown reason'}`;
  const away = daemons.find(({ state }) => state !== 'running');
  return away ? `${away.actor} is ${away.state}: try again in a moment` : null;
};
