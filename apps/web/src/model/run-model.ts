/**
 * One run, ready to be looked at: happened order, the fold over it, and the indexes that the panels ask for.
 *
 * The object grows in place; `version` counts its changes, and whoever shows something keyed by the run also
 * watches the version. Everything here can be computed again from the events alone.
 */
import type {
  Level,
  ProcessEvent,
  SequencedEvent,
  SpanEnded,
  SpanStarted,
} from '@engine-room/engine/protocol/trace/event.ts';
import { Fold } from './fold.ts';
import type { Machine } from './machine.ts';
import { HappenedOrder, type Placed } from './order.ts';
import { Steps } from './steps.ts';
import { Warp } from './warp.ts';

export interface SpanView {
  readonly started: SpanStarted | null;
  readonly startedAt: number;
  readonly ended: SpanEnded | null;
  readonly endedAt: number | null;
}

/** An SDK, curl, or whatever else has opened Docker's socket. */
export const isOtherClient = ({ actor, process }: ProcessEvent): boolean =>
  actor === 'docker' && process.name !== 'docker';

export class RunModel {
  readonly order = new HappenedOrder();
  readonly #fold = new Fold(this.order);
  readonly #steps: Readonly<Record<Level, Steps>> = {
    chapter: new Steps(this.order, 'chapter'),
    step: new Steps(this.order, 'step'),
    detail: new Steps(this.order, 'detail'),
  };
  readonly #warps: Readonly<Record<Level, Warp>> = {
    chapter: new Warp(this.order, this.#steps.chapter, 'chapter'),
    step: new Warp(this.order, this.#steps.step, 'step'),
    detail: new Warp(this.order, this.#steps.detail, 'detail'),
  };
  readonly #effects = new Map<string, string[]>();
  readonly #spans = new Map<string, { started?: string; ended?: string }>();
  readonly #known = new Set<string>();
  version = 0;
  /** The program that speaks to containerd itself; null in a run of docker. */
  clientName: string | null = null;
  /** The program that speaks to dockerd; null when it is the docker CLI. */
  dockerClientName: string | null = null;

  get length(): number {
    return this.order.placed.length;
  }

  /** The time of the last event. */
  get endAt(): number {
    return this.order.placed.at(-1)?.at ?? 0;
  }

  add(events: readonly SequencedEvent[]): void {
    const firstChanged = this.order.add(events);
    if (firstChanged === this.length) return;
    this.#fold.invalidate(firstChanged);
    for (const steps of Object.values(this.#steps)) steps.refresh(firstChanged);
    for (const warp of Object.values(this.#warps)) warp.refresh();
    for (const event of events) this.#index(event);
    this.version += 1;
  }

  /** The machine after the first `n` events. */
  machineAt(n: number): Machine {
    return this.#fold.at(n);
  }

  steps(level: Level): Steps {
    return this.#steps[level];
  }

  warp(level: Level): Warp {
    return this.#warps[level];
  }

  placed(id: string | null): Placed | undefined {
    const index = id === null ? undefined : this.order.indexOf(id);
    return index === undefined ? undefined : this.order.placed[index];
  }

  /** What this event made happen, in happened order. */
  effectsOf(id: string): readonly Placed[] {
    const effects = (this.#effects.get(id) ?? []).flatMap((effect) => this.placed(effect) ?? []);
    return effects.sort((a, b) => a.at - b.at);
  }

  span(spanId: string): SpanView | undefined {
    const ids = this.#spans.get(spanId);
    if (!ids) return undefined;
    const started = this.placed(ids.started ?? null);
    const ended = this.placed(ids.ended ?? null);
    return {
      started: started?.event.type === 'spanStarted' ? started.event : null,
      startedAt: started?.at ?? ended?.at ?? 0,
      ended: ended?.event.type === 'spanEnded' ? ended.event : null,
      endedAt: ended?.at ?? null,
    };
  }

  spanIds(): Iterable<string> {
    return this.#spans.keys();
  }

  #index(event: SequencedEvent): void {
    if (this.#known.has(event.id)) return;
    this.#known.add(event.id);
    if (event.type === 'process' && event.actor === 'client') this.clientName = event.process.name;
    if (event.type === 'process' && event.change === 'exec' && isOtherClient(event))
      this.dockerClientName = event.process.name;
    if (event.cause !== null) {
      const effects = this.#effects.get(event.cause);
      if (effects) effects.push(event.id);
      else this.#effects.set(event.cause, [event.id]);
    }
    if (event.type !== 'spanStarted' && event.type !== 'spanEnded') return;
    const ids = this.#spans.get(event.spanId) ?? {};
    if (event.type === 'spanStarted') ids.started = event.id;
    else ids.ended = event.id;
    this.#spans.set(event.spanId, ids);
  }
}
