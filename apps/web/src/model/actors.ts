/** The cast: glyphs and failure domains. */
import type { Actor } from '@engine-room/engine/protocol/trace/event.ts';
import type { Machine } from './machine.ts';
import { t } from '../messages/catalogue.ts';

export type StageActor = Exclude<Actor, 'lab'>;
/** What dies together. The four lanes of the stage. */
export type FailureDomain = 'you' | 'daemons' | 'container' | 'kernel';

export interface ActorFacts {
  readonly actor: StageActor;
  readonly glyph: string;
  readonly domain: FailureDomain;
}

export const ACTORS: readonly ActorFacts[] = [
  { actor: 'docker', glyph: '⌘', domain: 'you' },
  { actor: 'client', glyph: '⌘', domain: 'you' },
  { actor: 'dockerd', glyph: '◆', domain: 'daemons' },
  { actor: 'containerd', glyph: '◇', domain: 'daemons' },
  { actor: 'shim', glyph: '■', domain: 'container' },
  { actor: 'runc', glyph: '▽', domain: 'container' },
  { actor: 'container', glyph: '▲', domain: 'container' },
  { actor: 'kernel', glyph: '▣', domain: 'kernel' },
];

/** Who is in a run: a client that speaks to containerd itself stands on the stage only where there is one. */
export const castOf = ({ current }: Pick<Machine, 'current'>): readonly ActorFacts[] =>
  current.client === undefined ? DOCKERS_CAST : ACTORS;
const DOCKERS_CAST = ACTORS.filter(({ actor }) => actor !== 'client');

const FACTS: ReadonlyMap<string, ActorFacts> = new Map(ACTORS.map((facts) => [facts.actor, facts]));

export const factsOf = (actor: Actor): ActorFacts | undefined => FACTS.get(actor);
/** On the node and in tables. A trace may name an actor that nobody knows. */
export const labelOf = (actor: Actor): string => t().actors[actor] ?? actor;
export const domainOf = (actor: Actor): FailureDomain => FACTS.get(actor)?.domain ?? 'you';
