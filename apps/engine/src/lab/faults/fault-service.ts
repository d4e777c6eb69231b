/**
 * The failure lab: one real signal to one real process of this engine, told in the trace as what it is.
 * The daemons may be killed because they may restart; of containers and shims only the learner's own.
 */
import type { Native } from '../../../../../native/native.ts';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import type { Actor } from '../../protocol/trace/event.ts';
import { processId } from '../../protocol/trace/event-id.ts';
import type { FaultAccepted, FaultRequest } from '../../protocol/trace/fault.ts';
import { newTraceId } from '../../tracing/context.ts';
import type { TraceStore } from '../collector/trace-store.ts';
import type { RunRefused } from '../gateway/api-routes.ts';
import type { Learner } from '../gateway/guard.ts';
import { LEARNER_LABEL } from '../policy/limits.ts';
import type { EngineClient } from '../runs/engine-client.ts';
import type { Daemon } from '../supervisor/daemon.ts';
import type { ProcessRecord } from '../supervisor/process-record.ts';
import { ContainerTraces } from './container-traces.ts';
import { FaultTrace } from './fault-trace.ts';
import { untilLiveRestoreIs, writeDaemonConfig } from './live-restore.ts';
import { ProcessHandle } from './process-handle.ts';
import { RateLimit } from './rate-limit.ts';
import { livingContainer, notRunning, type LivingContainer } from './targets.ts';

export interface FaultServiceOptions {
  readonly store: TraceStore;
  readonly engine: EngineClient;
  readonly dockerd: Daemon;
  readonly containerd: Daemon;
  readonly native: Native;
  readonly containerdSocket: string;
  /** daemon.json, and what it says when nobody broke anything. */
  readonly daemonConfig: string;
  readonly liveRestore: boolean;
  /** After the first few faults, one more in this time. */
  readonly pauseMs: number;
}

const BURST = 4;
/** dockerd gives each container 10 seconds when it stops in good order. */
const PATIENCE_MS = 60_000;

interface Target {
  readonly actor: Actor;
  readonly process: ProcessRecord;
  readonly daemon: Daemon | null;
}

export class FaultService {
  readonly #options: FaultServiceOptions;
  readonly #limit: RateLimit;
  readonly #traces: ContainerTraces;
  /** Faults whose consequences are still being told, by the process that was hit. */
  readonly #going = new Map<number, { traceIds: readonly string[]; eventId: string }>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: FaultServiceOptions) {
    this.#options = options;
    this.#traces = new ContainerTraces(options.store);
    this.#limit = new RateLimit(BURST, options.pauseMs);
  }

  /** Traces in which the daemons' deaths and births are told although nothing else goes on in them. */
  get watchingTraceIds(): readonly string[] {
    return [...this.#going.values()].flatMap(({ traceIds }) => traceIds);
  }

  /** The signal that a dead process died of, if it was ours. */
  causeOfDeath(pid: number): string | null {
    return this.#going.get(pid)?.eventId ?? null;
  }

  /** One after the other: a fault is aimed at what the one before has left. */
  inject(request: FaultRequest, learner: Learner): Promise<FaultAccepted | RunRefused> {
    const waitMs = this.#limit.take();
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      return Promise.resolve({
        status: 429,
        message: `not so fast: what broke needs time to mend; again in ${seconds} s`,
      });
    }
    const mine = this.#turn.then(() => this.#inject(request, learner));
    this.#turn = mine.catch(() => undefined);
    return mine.catch((error: unknown): RunRefused => {
      if (!(error instanceof EngineError)) throw error;
      const status = error.kind === 'forbidden' ? 403 : error.kind === 'conflict' ? 409 : 503;
      return { status, message: error.message };
    });
  }

  close(): void {
    this.#traces.close();
  }

  async #inject(request: FaultRequest, learner: Learner): Promise<FaultAccepted> {
    const { store, native } = this.#options;
    const { fault } = request;
    const all = await this.#livingOf(learner);
    const target = await this.#target(request, all);
    const concerned = target.daemon ? all : all.filter(({ id }) => id === request.container);
    const handle = ProcessHandle.hold(native, target.process);
    if (!handle) throw notRunning(target.actor);
    const signal = fault.startsWith('stop-') ? 'SIGTERM' : 'SIGKILL';
    const traceIds = this.#tracesOf(learner, {
      daemon: target.daemon,
      concerned,
      title: `${signal} → ${target.actor}`,
    });
    const trace = new FaultTrace({
      fault,
      actor: target.actor,
      pid: target.process.pid,
      signal,
      traceIds,
      isOfLearner: (traceId) => store.isOf(traceId, learner.id),
      rootSpanOf: (traceId) => store.rootSpanOf(traceId),
      accept: (event) => store.accept(event),
    });
    const { eventId } = trace;
    const { pid } = target.process;
    this.#going.set(pid, { traceIds, eventId });
    try {
      if (signal === 'SIGTERM')
        await this.#configure(fault.endsWith('live-restore'), trace, handle);
      target.daemon?.forgive();
      trace.signal();
      handle.signal(signal);
    } catch (error) {
      trace.end(messageOf(error));
      this.#going.delete(pid);
      handle.release();
      throw error instanceof EngineError ? error : notRunning(target.actor);
    }
    void this.#follow({ trace, handle, target, concerned }).finally(() => {
      this.#going.delete(pid);
      if (signal === 'SIGTERM')
        writeDaemonConfig(this.#options.daemonConfig, this.#options.liveRestore);
    });
    const seen = traceIds.filter((traceId) => store.maySee(traceId, learner.id));
    return { traceIds: seen, eventId, pid, signal };
  }

  /** The learner's containers that run, as the engine lists them and the kernel confirms. */
  async #livingOf(learner: Learner): Promise<readonly LivingContainer[]> {
    const { engine, containerdSocket, dockerd } = this.#options;
    if (dockerd.state !== 'running') return [];
    const listed = await engine.list(LEARNER_LABEL, learner.id, { all: false });
    const living = await Promise.all(
      listed.map(async ({ id }) =>
        livingContainer({ id, pid: await engine.pidOf(id), containerdSocket }),
      ),
    );
    return living.filter((container) => container !== null);
  }

  async #target(
    { fault, container: id }: FaultRequest,
    living: readonly LivingContainer[],
  ): Promise<Target> {
    if (fault === 'kill-shim' || fault === 'kill-container') {
      const container = living.find((one) => one.id === id);
      if (!container) throw await this.#whyNot(id ?? '');
      return fault === 'kill-shim'
        ? { actor: 'shim', process: container.shim, daemon: null }
        : { actor: 'container', process: container.init, daemon: null };
    }
    const daemon = fault === 'kill-containerd' ? this.#options.containerd : this.#options.dockerd;
    if (!daemon.process || daemon.state !== 'running') throw notRunning(daemon.spec.actor);
    return { actor: daemon.spec.actor, process: daemon.process, daemon };
  }

  async #whyNot(id: string): Promise<EngineError> {
    const labels = id === '' ? null : await this.#options.engine.labels(id).catch(() => null);
    if (labels !== null && labels[LEARNER_LABEL] === undefined) {
      return new EngineError(
        'forbidden',
        'that container was not made from this page, so the page leaves it alone',
      );
    }
    return notRunning('that container');
  }

  /** Also in other learners' runs, which shall know what hit them; a learner who has none gets a story of its own. */
  #tracesOf(
    learner: Learner,
    hit: {
      readonly daemon: Daemon | null;
      readonly concerned: readonly LivingContainer[];
      readonly title: string;
    },
  ): readonly string[] {
    const { daemon, concerned, title } = hit;
    const { store } = this.#options;
    const running = store
      .runningTraceIds()
      .filter((traceId) => daemon !== null || store.isOf(traceId, learner.id));
    const ofContainers = concerned.flatMap((container) => this.#traces.of(container) ?? []);
    const known = [...new Set([...ofContainers, ...running])];
    if (known.some((traceId) => store.maySee(traceId, learner.id))) return known;
    const traceId = newTraceId();
    store.announce(traceId, { title, argv: [], clientPid: 0, learner: learner.id });
    return [...known, traceId];
  }

  async #configure(liveRestore: boolean, trace: FaultTrace, handle: ProcessHandle): Promise<void> {
    const { engine, daemonConfig } = this.#options;
    if ((await engine.isLiveRestore()) === liveRestore) return;
    writeDaemonConfig(daemonConfig, liveRestore);
    trace.reload(liveRestore);
    handle.signal('SIGHUP');
    await untilLiveRestoreIs(liveRestore, () => engine.isLiveRestore());
  }

  /** Tells what the signal did, until everything that can mend has mended. */
  async #follow(options: {
    readonly trace: FaultTrace;
    readonly handle: ProcessHandle;
    readonly target: Target;
    readonly concerned: readonly LivingContainer[];
  }): Promise<void> {
    const { trace, handle, target, concerned } = options;
    const { actor, process, daemon } = target;
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    const late = new Promise<string>((resolve) => {
      deadline.addEventListener('abort', () => resolve(`nothing came of it in ${PATIENCE_MS} ms`));
    });
    const mended = async (): Promise<null> => {
      await (daemon ? daemon.exited(process) : handle.ended);
      if (daemon) {
        trace.because(processId(process.pid, 'exit'));
        this.#look(trace, concerned);
        this.#lookAtOther(trace, daemon);
        await daemon.running();
      } else if (actor === 'shim') {
        for (const { id, shim } of concerned) trace.gone('shim', shim, id);
        await this.#untilBuried(concerned);
        this.#look(trace, concerned, 'container');
      }
      return null;
    };
    trace.end(await Promise.race([mended(), late]));
    handle.release();
  }

  #look(trace: FaultTrace, concerned: readonly LivingContainer[], only?: 'container'): void {
    for (const { id, init, shim } of concerned) {
      trace.look('container', init, id);
      if (!only) trace.look('shim', shim, id);
    }
  }

  #lookAtOther(trace: FaultTrace, daemon: Daemon): void {
    const { dockerd, containerd } = this.#options;
    const other = daemon === dockerd ? containerd : dockerd;
    if (other.process) trace.look(other.spec.actor, other.process);
  }

  /** containerd cleans up after a dead shim: it kills what is left of the container. */
  async #untilBuried(concerned: readonly LivingContainer[]): Promise<void> {
    const { native } = this.#options;
    await Promise.all(
      concerned.map(({ init }) => ProcessHandle.hold(native, init)?.ended ?? Promise.resolve()),
    );
  }
}
