/**
 * `docker events`: what happened, told to whoever listens, and the last 256 to whoever asks later.
 * Upstream: moby daemon/events/events.go.
 */
import type { EventMessage } from '../../protocol/docker-engine-api/events.ts';
import type { Filters } from '../../protocol/docker-engine-api/filters.ts';
import type { Container } from '../container/container.ts';

const KEPT = 256;

export type EventDraft = Pick<EventMessage, 'Type' | 'Action' | 'Actor'> & {
  readonly from?: string;
};

/** Labels are attributes too, as in Docker, so that `--filter label=` and formats find them. */
export const containerEvent = (
  container: Container,
  action: string,
  attributes: Readonly<Record<string, string>> = {},
): EventDraft => ({
  Type: 'container',
  Action: action,
  from: container.record.config.Image,
  Actor: {
    ID: container.id,
    Attributes: {
      ...container.record.config.Labels,
      image: container.record.config.Image,
      name: container.name,
      ...attributes,
    },
  },
});

/** `docker … prune`: one event for all that has gone. */
export const tellPrune = (
  { events }: { readonly events: EventLog },
  type: 'container' | 'image' | 'network' | 'volume',
  reclaimedBytes: number,
): void =>
  events.emit({
    Type: type,
    Action: 'prune',
    Actor: { ID: '', Attributes: { reclaimed: String(reclaimedBytes) } },
  });

export class EventLog {
  #kept: EventMessage[] = [];
  readonly #listeners = new Set<(event: EventMessage) => void>();

  emit({ from, ...draft }: EventDraft): void {
    const millis = performance.timeOrigin + performance.now();
    const event: EventMessage = {
      status: draft.Action,
      id: draft.Actor.ID,
      ...(from === undefined ? {} : { from }),
      ...draft,
      scope: 'local',
      time: Math.floor(millis / 1000),
      timeNano: Math.floor(millis * 1e6),
    };
    this.#kept = [...this.#kept.slice(1 - KEPT), event];
    for (const listener of this.#listeners) listener(event);
  }

  /** Events of the past between two instants (seconds since 1970). */
  between(since: number, until: number): EventMessage[] {
    return this.#kept.filter(
      ({ timeNano }) => timeNano >= since * 1e9 && (until === 0 || timeNano <= until * 1e9),
    );
  }

  listen(listener: (event: EventMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** `busybox`, whatever its tag. */
const withoutTag = (name: string | undefined): string | undefined => name?.replace(/:[^:/]*$/, '');

const hasLabel = (attributes: Readonly<Record<string, string>>, label: string): boolean => {
  const equals = label.indexOf('=');
  if (equals < 0) return label in attributes;
  return attributes[label.slice(0, equals)] === label.slice(equals + 1);
};

/** Different filters must all hold; of one filter's values one must. */
export const eventMatches = ({ Type, Action, Actor }: EventMessage, filters: Filters): boolean => {
  const { image, name } = Actor.Attributes;
  /** A beginning is enough, as in Docker. */
  const isNamed = (value: string): boolean =>
    Actor.ID.startsWith(value) || (name?.startsWith(value) ?? false);
  const tests: Readonly<Record<string, (value: string) => boolean>> = {
    type: (value) => Type === value,
    event: (value) => Action === value || Action.startsWith(`${value}:`),
    scope: (value) => value === 'local',
    container: (value) => Type === 'container' && isNamed(value.replace(/^\//, '')),
    image: (value) =>
      [image, withoutTag(image)].includes(value) ||
      (Type === 'image' && [Actor.ID, name, withoutTag(name)].includes(value)),
    daemon: (value) => Type === 'daemon' && isNamed(value),
    network: (value) => Type === 'network' && isNamed(value),
    volume: (value) => Type === 'volume' && Actor.ID.startsWith(value),
    label: (value) => hasLabel(Actor.Attributes, value),
  };
  return Object.entries(filters).every(
    ([key, values]) => values.length === 0 || values.some((value) => tests[key]?.(value) ?? false),
  );
};
