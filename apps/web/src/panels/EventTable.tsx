/** Every event as a line: filter by who, what and words; Enter puts the playhead there. Only what is in view is in the DOM. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react';
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import { t } from '../messages/catalogue.ts';
import type { Messages } from '../messages/messages.ts';
import { ACTORS, domainOf, labelOf } from '../model/actors.ts';
import { captionOf } from '../model/caption.ts';
import { offsetMs } from '../model/time-words.ts';
import { seekEvent } from '../playback/playhead.ts';
import { useModelVersion, usePlayhead, useReader } from '../hooks.ts';
import { readerStore, select } from '../reader-store.ts';

const ROW_PX = 26;

type Kind = keyof Messages['events']['kinds'];

const KINDS: Readonly<Record<Kind, (event: SequencedEvent) => boolean>> = {
  messages: ({ type }) => type === 'message',
  processes: ({ type }) => type === 'process',
  calls: ({ type }) => type === 'syscall',
  spans: ({ type }) => type.startsWith('span'),
  output: ({ type }) => type === 'output',
  failures: (event) =>
    (event.type === 'spanEnded' && event.status.code === 'error') ||
    (event.type === 'syscall' && event.errno !== null) ||
    event.type === 'dropped',
};

const actorOf = (event: SequencedEvent): string => {
  if (event.type === 'message') return event.from.actor;
  if (event.type === 'process' || event.type === 'dropped') return event.actor;
  if (event.type === 'syscall') return event.caller.actor;
  return event.type === 'output' ? 'container' : event.emitter.actor;
};

const kindWords = (event: SequencedEvent): string => {
  if (event.type === 'message') return `${event.protocol} ${event.direction}`;
  if (event.type === 'process') return event.change;
  if (event.type === 'syscall') return event.name;
  const words = t().events;
  return {
    spanStarted: words.begins,
    spanEnded: words.ends,
    spanEvent: words.moment,
    output: words.kinds.output,
    dropped: words.lost,
  }[event.type];
};

export const EventTable = () => {
  const version = useModelVersion();
  const model = usePlayhead((state) => state.model);
  const n = usePlayhead((state) => state.n);
  const isPlaying = usePlayhead((state) => state.isPlaying);
  const selected = useReader((state) => state.selected);
  const [words, setWords] = useState('');
  const [actor, setActor] = useState('');
  const [kind, setKind] = useState<Kind | ''>('');
  const filter = useRef<HTMLInputElement>(null);
  const scroller = useRef<HTMLDivElement>(null);

  const rows = useMemo(() => {
    void version;
    const wanted = words.trim().toLowerCase();
    return model.order.placed.flatMap(({ event, at }, index) => {
      if (actor !== '' && actorOf(event) !== actor) return [];
      if (kind !== '' && !KINDS[kind](event)) return [];
      const sentence = captionOf(event, model);
      if (
        wanted !== '' &&
        !`${sentence} ${kindWords(event)} ${event.source ?? ''}`.toLowerCase().includes(wanted)
      )
        return [];
      return [{ event, at, index, sentence }];
    });
  }, [model, version, words, actor, kind]);

  const selectedId = selected && 'event' in selected ? selected.event : null;
  const current = useMemo(() => {
    const chosen = rows.findIndex(({ event }) => event.id === selectedId);
    return chosen === -1
      ? Math.max(
          0,
          rows.findLastIndex(({ index }) => index < n),
        )
      : chosen;
  }, [rows, selectedId, n]);

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  useEffect(() => {
    if (rows.length > 0) virtual.scrollToIndex(current, { align: isPlaying ? 'center' : 'auto' });
  }, [current, isPlaying, rows.length, virtual]);

  useEffect(() => {
    if (readerStore.getState().wantsFilter) filter.current?.focus();
    readerStore.setState({ wantsFilter: false });
  }, []);

  const choose = (index: number): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row) select({ event: row.event.id });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[current];
    if (event.key === 'ArrowDown') choose(current + 1);
    else if (event.key === 'ArrowUp') choose(current - 1);
    else if (event.key === 'Home') choose(0);
    else if (event.key === 'End') choose(rows.length - 1);
    else if (event.key === 'Enter' && row) seekEvent(row.event.id);
    else return;
    event.preventDefault();
  };
  const onClick = ({ target }: MouseEvent): void => {
    const id =
      target instanceof Element
        ? target.closest<HTMLElement>('[data-event]')?.dataset['event']
        : undefined;
    if (id === undefined) return;
    select({ event: id });
    seekEvent(id);
  };
  const clear = (): void => {
    setWords('');
    setActor('');
    setKind('');
  };

  return (
    <div className="events">
      <div className="events-filter">
        <label>
          <span>{t().events.filter}</span>
          <input
            ref={filter}
            id="event-filter"
            type="text"
            value={words}
            onChange={({ target }) => setWords(target.value)}
          />
        </label>
        <label>
          <span>{t().events.who}</span>
          <select value={actor} onChange={({ target }) => setActor(target.value)}>
            <option value="">{t().events.everyone}</option>
            {ACTORS.filter(({ actor: name }) => name !== 'kernel').map(({ actor: name }) => (
              <option key={name} value={name}>
                {labelOf(name)}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{t().events.what}</span>
          <select value={kind} onChange={({ target }) => setKind(target.value as Kind | '')}>
            <option value="">{t().events.everything}</option>
            {Object.entries(t().events.kinds).map(([name, label]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <span className="events-count" role="status">
          {t().events.count(rows.length, model.length)}
        </span>
      </div>
      {rows.length === 0 ? (
        <p className="empty">
          {model.length === 0 ? t().events.none : t().events.noMatch}{' '}
          {model.length > 0 && (
            <button type="button" onClick={clear}>
              {t().events.clear}
            </button>
          )}
        </p>
      ) : (
        <div
          ref={scroller}
          className="events-rows"
          role="listbox"
          tabIndex={0}
          data-own-arrows
          aria-label={t().events.list}
          aria-activedescendant={rows[current] ? `row-${rows[current].index}` : undefined}
          onKeyDown={onKeyDown}
          onClick={onClick}
        >
          <div className="events-height" style={{ height: virtual.getTotalSize() }}>
            {virtual.getVirtualItems().map(({ index, start }) => {
              const row = rows[index];
              if (!row) return null;
              const { event, at, sentence } = row;
              return (
                <div
                  key={event.id}
                  id={`row-${row.index}`}
                  role="option"
                  aria-selected={index === current}
                  aria-posinset={index + 1}
                  aria-setsize={rows.length}
                  className="events-row"
                  data-event={event.id}
                  data-domain={domainOf(actorOf(event) as 'docker')}
                  data-level={event.level}
                  data-future={row.index >= n}
                  style={{ transform: `translateY(${start}px)` }}
                >
                  <span className="mono events-time">{offsetMs(at)}</span>
                  <span className="events-who">{labelOf(actorOf(event) as 'docker')}</span>
                  <span className="mono events-kind">{kindWords(event)}</span>
                  <span className="events-words">{sentence}</span>
                  <span className="mono events-source">
                    {event.source?.replace('apps/engine/src/', '') ?? ''}
                  </span>
                </div>
              );
            })}
          </div>
        </div>
      )}
    </div>
  );
};
