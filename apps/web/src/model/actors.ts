/** The cast: names as one reads them, glyphs, and failure domains. */
import type { Actor } from '@engine-room/engine/protocol/trace/event.ts';
import type { Machine } from './machine.ts';

export type StageActor = Exclude<Actor, 'lab'>;
/** What dies together. The four lanes of the stage. */
export type FailureDomain = 'you' | 'daemons' | 'container' | 'kernel';

export interface ActorFacts {
  readonly actor: StageActor;
  /** On the node and in tables. */
  readonly label: string;
  /** In the middle of a sentence. */
  readonly inSentence: string;
  readonly glyph: string;
  readonly domain: FailureDomain;
}

export const ACTORS: readonly ActorFacts[] = [
  { actor: 'docker', label: 'docker CLI', inSentence: 'the docker CLI', glyph: '⌘', domain: 'you' },
  { actor: 'client', label: 'client', inSentence: 'the client', glyph: '⌘', domain: 'you' },
  { actor: 'dockerd', label: 'dockerd', inSentence: 'dockerd', glyph: '◆', domain: 'daemons' },
  {
    actor: 'containerd',
    label: 'containerd',
    inSentence: 'containerd',
    glyph: '◇',
    domain: 'daemons',
  },
  { actor: 'shim', label: 'shim', inSentence: 'the shim', glyph: '■', domain: 'container' },
  { actor: 'runc', label: 'runc', inSentence: 'runc', glyph: '▽', domain: 'container' },
  {
    actor: 'container',
    label: 'container',
    inSentence: 'the container',
    glyph: '▲',
    domain: 'container',
  },
  {
    actor: 'kernel',
    label: 'Linux kernel',
    inSentence: 'the kernel',
    glyph: '▣',
    domain: 'kernel',
  },
];

/** Who is in a run: a client that speaks to containerd itself stands on the stage only where there is one. */
export const castOf = ({
  current,
  processes,
}: Pick<Machine, 'current' | 'processes'>): readonly ActorFacts[] => {
  const name = processes[String(current.client ?? '')]?.name;
  return name === undefined ? DOCKERS_CAST : castWith(name);
};
const DOCKERS_CAST = ACTORS.filter(({ actor }) => actor !== 'client');

/** The client goes by the name of its program, such as ctr. Equal casts are the same array. */
const castWith = (name: string): readonly ActorFacts[] => {
  if (lastCast.name !== name) {
    const cast = ACTORS.map((facts) =>
      facts.actor === 'client' ? { ...facts, label: name } : facts,
    );
    lastCast = { name, cast };
  }
  return lastCast.cast;
};
let lastCast: { readonly name: string; readonly cast: readonly ActorFacts[] } = {
  name: '',
  cast: ACTORS,
};

const FACTS: ReadonlyMap<string, ActorFacts> = new Map(ACTORS.map((facts) => [facts.actor, facts]));

export const factsOf = (actor: Actor): ActorFacts | undefined => FACTS.get(actor);
export const labelOf = (actor: Actor): string => FACTS.get(actor)?.label ?? actor;
export const inSentence = (actor: Actor): string => FACTS.get(actor)?.inSentence ?? `the ${actor}`;
export const domainOf = (actor: Actor): FailureDomain => FACTS.get(actor)?.domain ?? 'you';
