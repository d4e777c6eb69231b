/** Send Request and Stop: asks the policy, keeps the quotas, starts the client, and ends what goes on too long. */
import { mkdirSync } from 'node:fs';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import type { TraceStore } from '../collector/trace-store.ts';
import type { GateKeeper } from '../gates/gate-keeper.ts';
import type { RunAccepted, RunRefused } from '../gateway/api-routes.ts';
import type { Learner } from '../gateway/guard.ts';
import { LEARNER_LABEL, LIMITS } from '../policy/limits.ts';
import { decide, type Allowed } from '../policy/policy.ts';
import type { LabProgram, Launch } from '../programs/program.ts';
import { programOf } from '../programs/programs.ts';
import { ClientRun } from './client-run.ts';
import { Launcher, type LauncherOptions } from './launcher.ts';
import { checkOwner } from './owner.ts';
import { checkQuota, NO_ROOM } from './quota.ts';
import { RunLine, type Leave } from './run-line.ts';

export interface RunServiceOptions extends LauncherOptions {
  readonly store: TraceStore;
  readonly gates: GateKeeper;
  /** Null when the engine can take requests, else why not. */
  readonly whyNot: () => string | null;
  /** Commands of all learners that go on at once; the next ones wait. */
  readonly maxRuns: number;
  /** How many are ahead of the learner's request; null: it waits no longer. */
  readonly onMove: (learner: string, ahead: number | null) => void;
}

interface Wishes {
  readonly learner: Learner;
  readonly gates: readonly string[];
  readonly program: LabProgram | null;
  /** Gives the place in the lab to the next one. */
  readonly leave: Leave;
}

/** A program of the lab's own has no words of the learner's in it. */
const A_PROGRAM: Allowed = {
  allowed: true,
  argv: [],
  injected: [],
  command: 'program',
  containers: [],
  createsContainer: false,
  volumes: [],
  createsVolume: false,
  printsContainer: false,
};

interface Birth {
  readonly title: string;
  readonly decision: Allowed;
  readonly launch: Launch;
  readonly wishes: Wishes;
}

interface Going {
  readonly run: ClientRun;
  readonly learner: Learner;
  readonly ownsContainers: boolean;
  outputBytes: number;
  isStopping: boolean;
}

/** Whoever ends a container gives a place back, and does not wait for one behind those who need it. */
const ENDS_CONTAINERS: ReadonlySet<string> = new Set(['stop', 'kill']);
const PLACES_FOR_ENDS = 4;
const JANITOR_MS = 30_000;
/** After its containers are killed, a client ends by itself; if not, it is ended. */
const CLIENT_PATIENCE_MS = 3_000;

export class RunService {
  readonly #options: RunServiceOptions;
  readonly #launcher: Launcher;
  readonly #line: RunLine;
  readonly #lineOfEnds: RunLine;
  /** By trace; a run stays here after its client's exit as long as its container may print. */
  readonly #going = new Map<string, Going>();
  readonly #janitor: NodeJS.Timeout;
  readonly #stopListening: () => void;
  /** Quotas are counted one request after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: RunServiceOptions) {
    this.#options = options;
    this.#launcher = new Launcher(options);
    const lineOf = (places: number) =>
      new RunLine({ places, perLearner: LIMITS.runs, onMove: options.onMove });
    this.#line = lineOf(options.maxRuns);
    this.#lineOfEnds = lineOf(PLACES_FOR_ENDS);
    mkdirSync(options.clientHome, { recursive: true, mode: 0o700 });
    this.#stopListening = options.store.listen({
      onEvent: (traceId, _seq, _line, event) => this.#notice(traceId, event),
      onSummary: ({ traceId, state }) => {
        if (state === 'ended' && this.#going.get(traceId)?.run.hasExited)
          this.#going.delete(traceId);
      },
    });
    this.#janitor = setInterval(() => {
      // The next round tries again.
      this.#endOldContainers().catch(() => undefined);
    }, JANITOR_MS);
    this.#janitor.unref();
  }

  /** `gates`: where the command is to be held. `gone`: the sender is no longer there to hear the answer. */
  async run(
    command: string,
    learner: Learner,
    gates: readonly string[] = [],
    gone?: AbortSignal,
  ): Promise<RunAccepted | RunRefused> {
    const program = programOf(command);
    const decision = program ? A_PROGRAM : decide(command, learner.id);
    if (!decision.allowed) {
      const { allowed: _allowed, ...refused } = decision;
      return refused;
    }
    const line = ENDS_CONTAINERS.has(decision.command) ? this.#lineOfEnds : this.#line;
    const leave = await line.enter(learner.id, gone);
    if (!leave) return NO_ROOM;
    const mine = this.#turn.then(() =>
      this.#runInTurn(command, decision, { learner, gates, program, leave }),
    );
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async stop(traceId: string, learner: Learner): Promise<boolean> {
    const going = this.#going.get(traceId);
    if (going?.learner.id !== learner.id) return false;
    await this.#end(traceId, going);
    return true;
  }

  isRunOf(traceId: string, learner: Learner): boolean {
    return this.#going.get(traceId)?.learner.id === learner.id;
  }

  close(): void {
    clearInterval(this.#janitor);
    this.#stopListening();
    this.#line.close();
    this.#lineOfEnds.close();
    for (const { run } of this.#going.values()) run.kill('SIGKILL');
  }

  async #runInTurn(
    command: string,
    decision: Allowed,
    wishes: Wishes,
  ): Promise<RunAccepted | RunRefused> {
    const { learner, program, leave } = wishes;
    const { engine, store } = this.#options;
    let isGoing = false;
    try {
      const whyNot = this.#options.whyNot();
      if (whyNot !== null) return { status: 503, message: whyNot };
      const refused =
        (await checkQuota({ engine, store, decision, learner, going: this.#goingOf(learner) })) ??
        (await checkOwner(engine, decision, learner));
      if (refused) return refused;
      const launch = program
        ? await this.#launcher.program(program, learner)
        : this.#launcher.docker(decision.argv, decision);
      if ('status' in launch) return launch;
      const accepted = this.#spawn({ title: command.trim(), decision, launch, wishes });
      isGoing = true;
      return accepted;
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'unavailable')
        return { status: 503, message: error.message };
      throw error;
    } finally {
      if (!isGoing) leave();
    }
  }

  /** Traces of the learner's commands whose clients have not ended, and whether they make containers. */
  #goingOf(learner: Learner): ReadonlyMap<string, { readonly ownsContainers: boolean }> {
    return new Map(
      [...this.#going].filter(
        ([, going]) => going.learner.id === learner.id && !going.run.hasExited,
      ),
    );
  }

  #spawn(birth: Birth): RunAccepted {
    return birth.wishes.gates.length === 0
      ? this.#spawnNow(birth)
      : this.#options.gates.duringBirth(() => this.#spawnNow(birth));
  }

  #spawnNow({ title, decision, launch, wishes: { learner, gates, leave } }: Birth): RunAccepted {
    const { store } = this.#options;
    const { injected } = decision;
    const { argv } = launch;
    const run = new ClientRun({
      ...launch,
      onBorn: (born) => {
        if (gates.length > 0) this.#options.gates.set(born.context.traceId, gates);
        store.announce(born.context.traceId, {
          title,
          argv,
          clientPid: born.pid,
          learner: learner.id,
        });
        this.#going.set(born.context.traceId, {
          run: born,
          learner,
          ownsContainers: decision.createsContainer || decision.command === 'start',
          outputBytes: 0,
          isStopping: false,
        });
      },
      tell: (event) => store.accept(event),
      onBytes: (count) => this.#countOutput(run.context.traceId, count),
    });
    const { traceId } = run.context;
    const timer = setInterval(() => {
      // The time at a gate is the learner's. It has a limit of its own.
      if (this.#options.gates.heldIn(traceId).length > 0) return;
      clearInterval(timer);
      this.#endFor(traceId, 'time limit', { 'engineroom.limit.ms': LIMITS.runMs });
    }, LIMITS.runMs);
    void run.finished.then(() => {
      clearInterval(timer);
      this.#options.gates.clientGone(traceId);
      leave();
    });
    return { traceId, pid: run.pid, argv, injected };
  }

  #notice(traceId: string, event: TraceEvent): void {
    const going = this.#going.get(traceId);
    if (!going) return;
    going.run.notice(event);
    // While the client runs, the same bytes are counted as they come out of it.
    if (event.type === 'output' && going.run.hasExited) this.#countOutput(traceId, event.sizeBytes);
  }

  #countOutput(traceId: string, count: number): void {
    const going = this.#going.get(traceId);
    if (!going) return;
    going.outputBytes += count;
    if (going.outputBytes > LIMITS.outputBytes) {
      this.#endFor(traceId, 'output limit', { 'engineroom.limit.bytes': LIMITS.outputBytes });
    }
  }

  #endFor(traceId: string, reason: string, attributes: Readonly<Record<string, number>>): void {
    const going = this.#going.get(traceId);
    if (!going || going.isStopping) return;
    going.run.remark(reason, attributes);
    this.#end(traceId, going).catch((error: unknown) => {
      console.error(`lab: a run could not be ended: ${messageOf(error)}`);
    });
  }

  async #end(traceId: string, going: Going): Promise<void> {
    going.isStopping = true;
    this.#options.gates.set(traceId, []);
    this.#options.gates.release(traceId, 'run was stopped');
    const ids = going.ownsContainers
      ? (this.#options.store.summary(traceId)?.containerIds ?? [])
      : [];
    try {
      for (const id of ids) {
        const labels = await this.#options.engine.labels(id);
        if (labels?.[LEARNER_LABEL] === going.learner.id) await this.#options.engine.kill(id);
      }
    } catch (error) {
      going.isStopping = false;
      throw error;
    } finally {
      if (ids.length === 0) going.run.kill('SIGKILL');
      else setTimeout(() => going.run.kill('SIGKILL'), CLIENT_PATIENCE_MS).unref();
    }
  }

  async #endOldContainers(): Promise<void> {
    if (this.#options.whyNot() !== null) return;
    const { engine } = this.#options;
    const oldest = Date.now() - LIMITS.containerMs;
    for (const { id, createdAtMs } of await engine.list(LEARNER_LABEL, null, { all: false })) {
      if (createdAtMs < oldest && (await engine.startedAtMs(id)) < oldest) await engine.kill(id);
    }
  }
}
