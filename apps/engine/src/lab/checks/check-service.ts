/**
 * Answers the checks of a lesson: looks at the real machine and at the learner's own traces, and compares.
 * Whatever is asked, only the learner's own containers are spoken of, and nothing is changed.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import type { EngineStatus, TraceSummary } from '../../protocol/trace/stream.ts';
import { meaningOf } from '../../protocol/lesson/facts.ts';
import { takesIn } from '../../protocol/lesson/runs.ts';
import { namesOf } from '../../protocol/lesson/event-names.ts';
import {
  type CheckAnswer,
  type CheckRequest,
  type Fact,
  type Observation,
  type Predicate,
  type Term,
  type Value,
} from '../../protocol/lesson/predicate.ts';
import type { Learner } from '../gateway/guard.ts';
import { LEARNER_LABEL } from '../policy/limits.ts';
import { argvOf, processInfo } from '../process-info.ts';
import type { InspectedContainer, Volume } from '../runs/engine-client.ts';
import { cgroupFact } from './cgroup-facts.ts';
import { compare, comparisonOf } from '../../protocol/lesson/compare.ts';
import { layerFact } from './layer-facts.ts';
import { addresses, networkFact } from './network-facts.ts';
import { processFact, stdoutHolders } from './process-facts.ts';
import { traceFact } from './trace-facts.ts';
import { folderAt, volumeFact } from './volume-facts.ts';

export interface CheckSources {
  /** The container as dockerd tells of it; null when there is none of that name. */
  readonly inspect: (name: string) => Promise<InspectedContainer | null>;
  readonly volume: (name: string) => Promise<Volume | null>;
  /** Resolves when dockerd answers again, or when that takes too long. */
  readonly dockerdIsBack: () => Promise<void>;
  readonly daemons: () => EngineStatus['daemons'];
  /** Newest first. */
  readonly traces: () => readonly TraceSummary[];
  readonly eventsOf: (traceId: string) => Promise<readonly TraceEvent[] | null>;
}

/** What could be seen: a value, or why there is none. */
type Seen = { readonly value: Value; readonly why: string | null };
const seen = (value: Value): Seen => ({ value, why: null });
const nothing = (why: string): Seen => ({ value: null, why });

const EXTERNAL_TRACES = 30;
/** What docker inspect does not tell: one has to look at the running process. */
const NEEDS_PROCESS: ReadonlySet<string> = new Set(['container.stdoutHolders', 'container.folder']);
const OUR_CLIENTS = /^(?:Docker-Client|engine-room)/;

export const answerChecks = async (
  { predicates, runs, answers }: CheckRequest,
  learner: Learner,
  sources: CheckSources,
): Promise<CheckAnswer> => {
  const round = new Round(runs, answers, learner, sources);
  const observations: Observation[] = [];
  for (const predicate of predicates) observations.push(await round.observe(predicate));
  return { observations };
};

/** One request. Each container and each trace is asked for once. */
class Round {
  readonly #runs: CheckRequest['runs'];
  readonly #answers: CheckRequest['answers'];
  readonly #learner: Learner;
  readonly #sources: CheckSources;
  readonly #containers = new Map<string, Promise<InspectedContainer | null | 'away'>>();
  readonly #events = new Map<string, Promise<readonly TraceEvent[] | null>>();
  #dockerdIsBack: Promise<void> | null = null;

  // oxlint-disable-next-line max-params -- the parts of one request
  constructor(
    runs: CheckRequest['runs'],
    answers: CheckRequest['answers'],
    learner: Learner,
    sources: CheckSources,
  ) {
    this.#runs = runs;
    this.#answers = answers;
    this.#learner = learner;
    this.#sources = sources;
  }

  async observe(predicate: Predicate): Promise<Observation> {
    const { how, term } = comparisonOf(predicate);
    const observed = await this.#see(predicate);
    const wanted = await this.#valueOf(term);
    return {
      holds:
        observed.why === null && wanted.why === null && compare(observed.value, how, wanted.value),
      observed: observed.value,
      wanted: wanted.value,
      why: observed.why ?? wanted.why,
    };
  }

  async #valueOf(term: Term): Promise<Seen> {
    if (typeof term !== 'object' || term === null || Array.isArray(term)) return seen(term);
    if ('fact' in term) return this.#see(term);
    const answer = this.#answers[term.answer];
    return answer === undefined ? nothing('the question is not answered yet') : seen(answer);
  }

  #see(fact: Fact): Promise<Seen> {
    switch (meaningOf(fact.fact).about) {
      case 'run':
        return this.#seeRun(fact);
      case 'engine':
        return this.#countRequests(fact.match ?? '');
      case 'volume':
        return this.#seeVolume(fact);
      case 'process':
      case 'container':
        return this.#seeProcess(fact);
    }
  }

  async #seeRun(fact: Fact): Promise<Seen> {
    const traceIds = takesIn(this.#runs, fact.run ?? '');
    if (traceIds.length === 0) return nothing(`"${fact.run}" has not been run yet`);
    const takes = await Promise.all(traceIds.map((traceId) => this.#eventsOf(traceId)));
    if (!takes.every((take) => take !== null))
      return nothing('the trace of that run is not kept any more: run it again');
    const value = traceFact(fact.fact, fact, takes);
    return value === null ? nothing('the trace does not tell of it (yet)') : seen(value);
  }

  async #seeProcess({ fact, of = '', path = '' }: Fact): Promise<Seen> {
    const [kind, name = ''] = of.split(' ');
    if (kind === 'dockerd' || kind === 'containerd') {
      const pid = this.#sources.daemons().find(({ actor }) => actor === kind)?.pid ?? null;
      return pid === null ? nothing(`${kind} is not running`) : seen(processFact(fact, pid));
    }
    const container = await this.#containerOf(name);
    if (container === 'away') return nothing('dockerd does not answer now');
    if (fact === 'container.exists') return seen(container !== null);
    if (!container) return nothing(`there is no container ${name} of yours`);
    if (fact.startsWith('container.') && !NEEDS_PROCESS.has(fact))
      return seen(containerFact(fact, container));
    if (container.pid === 0) {
      if (fact === 'process.alive') return seen(false);
      return nothing(`the container ${name} is ${container.state}: it has no process`);
    }
    const pid = kind === 'shim' ? shimOf(container.pid) : container.pid;
    if (pid === null) return nothing(`the container ${name} has no shim any more`);
    if (fact === 'container.stdoutHolders')
      return orGone(stdoutHolders(container.pid, this.#suspects(container.pid)));
    if (fact === 'container.folder') return orGone(folderAt(pid, path));
    if (fact.startsWith('net.')) return orGone(this.#networkFact(fact, pid));
    if (fact.startsWith('cgroup.')) return orGone(cgroupFact(fact, pid));
    if (fact.startsWith('layer.')) return orGone(layerFact(fact, pid, path));
    return orGone(processFact(fact, pid));
  }

  async #seeVolume({ fact, of = '', path = '' }: Fact): Promise<Seen> {
    const name = of.slice('volume '.length);
    const volume = await this.#askDockerd(() => this.#sources.volume(name));
    if (volume === 'away') return nothing('dockerd does not answer now');
    const isTheirs = volume !== null && volume.labels[LEARNER_LABEL] === this.#learner.id;
    if (fact === 'volume.exists') return seen(isTheirs);
    if (!isTheirs) return nothing(`there is no volume ${name} of yours`);
    return orGone(volumeFact(fact, volume.mountpoint, path));
  }

  /** Of the host's addresses no more is told than whether the container's gateway is one of them. */
  #networkFact(fact: Fact['fact'], pid: number): Value {
    if (fact !== 'net.gatewayIsHost') return networkFact(fact, pid);
    const dockerd = this.#sources.daemons().find(({ actor }) => actor === 'dockerd')?.pid ?? null;
    const gateway = networkFact('net.gateway', pid);
    if (dockerd === null || typeof gateway !== 'string') return null;
    return addresses(dockerd).includes(gateway);
  }

  #suspects(containerPid: number): readonly { readonly name: string; readonly pid: number }[] {
    const shim = shimOf(containerPid);
    const daemons = this.#sources
      .daemons()
      .flatMap(({ actor, pid }) => (pid === null ? [] : [{ name: actor, pid }]));
    return [...daemons, ...(shim === null ? [] : [{ name: 'shim', pid: shim }])];
  }

  async #countRequests(match: string): Promise<Seen> {
    let count = 0;
    const external = this.#sources.traces().filter(({ origin }) => origin === 'external');
    for (const { traceId } of external.slice(0, EXTERNAL_TRACES)) {
      for (const event of (await this.#eventsOf(traceId)) ?? []) {
        if (event.type !== 'spanStarted' || event.kind !== 'server') continue;
        const agent = event.attributes['user_agent.original'];
        const isForeign = typeof agent !== 'string' || !OUR_CLIENTS.test(agent);
        if (isForeign && namesOf(event).includes(match)) count += 1;
      }
    }
    return seen(count);
  }

  #containerOf(name: string): Promise<InspectedContainer | null | 'away'> {
    const known = this.#containers.get(name);
    if (known) return known;
    const asked = this.#askDockerd(async () => {
      const found = await this.#sources.inspect(name);
      return found?.labels[LEARNER_LABEL] === this.#learner.id ? found : null;
    });
    this.#containers.set(name, asked);
    return asked;
  }

  /** After a fault one looks at once, while the new dockerd is still on its way: it is waited for, once. */
  async #askDockerd<T>(ask: () => Promise<T>): Promise<T | 'away'> {
    const answer = await orAway(ask());
    if (answer !== 'away') return answer;
    await (this.#dockerdIsBack ??= this.#sources.dockerdIsBack());
    return orAway(ask());
  }

  #eventsOf(traceId: string): Promise<readonly TraceEvent[] | null> {
    const known = this.#events.get(traceId);
    if (known) return known;
    const asked = this.#sources.eventsOf(traceId);
    this.#events.set(traceId, asked);
    return asked;
  }
}

const orAway = <T>(asked: Promise<T>): Promise<T | 'away'> =>
  asked.catch((error: unknown) => {
    if (error instanceof EngineError && error.kind === 'unavailable') return 'away' as const;
    throw error;
  });

const orGone = (value: Value): Seen =>
  value === null ? nothing('the kernel does not say, or the process has just gone') : seen(value);

const containerFact = (fact: Fact['fact'], container: InspectedContainer): Value => {
  switch (fact) {
    case 'container.state':
      return container.state;
    case 'container.pid':
      return container.pid;
    case 'container.exitCode':
      return container.exitCode;
    case 'container.image':
      return container.image;
    default:
      return null;
  }
};

/** The container's parent, as long as it is a shim: whoever inherits an orphan is none. */
const shimOf = (pid: number): number | null => {
  const ppid = processInfo(pid)?.ppid ?? 0;
  return argvOf(ppid).some((word) => word.includes('containerd-shim')) ? ppid : null;
};
