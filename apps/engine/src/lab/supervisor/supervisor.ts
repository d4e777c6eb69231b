/**
 * Keeps containerd and dockerd alive, as systemd does on a real machine: containerd first, neither a child of the
 * other, each restarted when it dies. What happens to them is told in every growing trace, for each concerns them.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { processId } from '../../protocol/trace/event-id.ts';
import { GATES_VARIABLE } from '../../protocol/trace/gate.ts';
import type { EngineStatus } from '../../protocol/trace/stream.ts';
import { binary, type Paths } from '../paths.ts';
import { shellExit } from '../exit-code.ts';
import { writeDaemonConfig } from '../faults/live-restore.ts';
import { DAEMON_PATH } from '../swapped-parts.ts';
import { labEmitter } from '../lab-emitter.ts';
import { withOurNode } from '../our-node.ts';
import { Daemon, type DaemonEvents, type DaemonExit, type WatchExit } from './daemon.ts';
import type { ProcessRecord } from './process-record.ts';

export interface SupervisorOptions {
  readonly paths: Paths;
  readonly cgroupParent: string;
  readonly liveRestore: boolean;
  /** Flags of dockerd that put other people's components in the place of ours. */
  readonly swapped: readonly string[];
  readonly registryMirrors: readonly string[];
  readonly watchExit: WatchExit;
  /** An event for every trace that is growing now. */
  readonly tellTraces: (make: (traceId: string) => TraceEvent) => void;
  /** The event that killed the process, if the lab knows it. */
  readonly causeOfDeath: (pid: number) => string | null;
  readonly onChange: () => void;
}

/** A restart takes a second; on a busy machine, or with many containers to take over, several. */
const RETURN_PATIENCE_MS = 20_000;

export class Supervisor {
  readonly containerd: Daemon;
  readonly dockerd: Daemon;
  readonly #options: SupervisorOptions;
  /** The exit of each daemon that its rebirth follows from. */
  readonly #lastExit = new Map<Daemon, string>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { paths } = options;
    mkdirSync(paths.lab, { recursive: true, mode: 0o700 });
    writeDaemonConfig(paths.daemonConfig, options.liveRestore);
    const events = this.#events();
    this.containerd = new Daemon(
      {
        ...commonSpec('containerd', paths),
        socketPath: paths.containerdSocket,
        argv: flags({
          '--address': paths.containerdSocket,
          '--root': join(paths.dataRoot, 'containerd'),
          '--state': join(paths.execRoot, 'containerd'),
          '--pidfile': join(paths.execRoot, 'containerd.pid'),
        }),
      },
      events,
      options.watchExit,
    );
    this.dockerd = new Daemon(
      {
        ...commonSpec('dockerd', paths),
        socketPath: paths.dockerSocket,
        argv: [
          ...flags({
            '--host': `unix://${paths.dockerSocket}`,
            '--containerd': paths.containerdSocket,
            '--data-root': join(paths.dataRoot, 'docker'),
            '--exec-root': join(paths.execRoot, 'docker'),
            '--cgroup-parent': options.cgroupParent,
            '--pidfile': join(paths.execRoot, 'dockerd.pid'),
            '--config-file': paths.daemonConfig,
          }),
          ...options.swapped,
          ...options.registryMirrors.flatMap((url) => ['--registry-mirror', url]),
        ],
      },
      events,
      options.watchExit,
    );
  }

  /** Resolves when both were tried once; the states say how that went. */
  async start(): Promise<void> {
    await this.containerd.start();
    await this.dockerd.start();
  }

  /** dockerd first, because it needs containerd to end its containers. */
  async stop(): Promise<void> {
    await this.dockerd.stop();
    await this.containerd.stop();
  }

  /** Resolves when dockerd answers, or after a while without it. */
  async dockerdIsBack(): Promise<void> {
    await Promise.race([
      this.dockerd.running(),
      setTimeout(RETURN_PATIENCE_MS, null, { ref: false }),
    ]);
  }

  status(): EngineStatus['daemons'] {
    return [this.dockerd, this.containerd].map(({ spec, pid, state }) => ({
      actor: spec.actor,
      pid,
      state,
    }));
  }

  #events(): DaemonEvents {
    return {
      born: (daemon, process) => {
        this.#tell(daemon, process, 'fork');
        this.#tell(daemon, process, 'exec');
      },
      adopted: () => undefined,
      died: (daemon, process, exit) => {
        this.#tell(daemon, process, 'exit', exit);
        this.#lastExit.set(daemon, processId(process.pid, 'exit'));
      },
      changed: () => this.#options.onChange(),
    };
  }

  #tell(
    daemon: Daemon,
    { pid, startTime }: ProcessRecord,
    change: 'fork' | 'exec' | 'exit',
    exit?: DaemonExit,
  ): void {
    const mono = process.hrtime.bigint().toString();
    const cause = {
      fork: () => this.#lastExit.get(daemon) ?? null,
      exec: () => processId(pid, 'fork'),
      exit: () => this.#options.causeOfDeath(pid),
    }[change]();
    const argv = change === 'exec' ? [daemon.spec.actor, ...daemon.spec.argv] : [];
    this.#options.tellTraces((traceId) => ({
      type: 'process',
      id: processId(pid, change),
      traceId,
      cause,
      mono,
      level: change === 'exit' ? 'chapter' : 'step',
      emitter: labEmitter(),
      source: __SOURCE__,
      change,
      actor: daemon.spec.actor,
      process: {
        pid,
        ppid: change === 'exit' ? null : process.pid,
        name: daemon.spec.actor,
        startTime,
        ...(argv.length > 0 ? { argv } : {}),
      },
      ...(exit && (exit.code !== null || exit.signal !== null) ? { exit: shellExit(exit) } : {}),
      attributes: {},
    }));
  }
}

const flags = (values: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(values).flat();

const commonSpec = (actor: 'dockerd' | 'containerd', paths: Paths) => ({
  actor,
  file: binary(actor),
  env: daemonEnvironment(paths),
  pidfile: join(paths.execRoot, `${actor}.pid`),
  recordPath: join(paths.lab, `${actor}.json`),
  logPath: join(paths.lab, `${actor}.log`),
});

const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

/** Nothing of the learner's shell reaches the daemons, but the proxies without which no image could be pulled. */
const daemonEnvironment = (paths: Paths): Readonly<Record<string, string>> => {
  const kept = PROXIES.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    PATH: withOurNode(DAEMON_PATH),
    HOME: '/root',
    LANG: 'C.UTF-8',
    ENGINE_ROOM_TRACE_SOCKET: paths.traceSocket,
    [GATES_VARIABLE]: paths.gates,
    ...Object.fromEntries(kept),
  };
};
