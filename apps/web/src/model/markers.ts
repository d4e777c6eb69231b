/** The moments one looks for: births and deaths of processes, output, failures, and the chapters between them. */
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import type { RunModel } from './run-model.ts';

export type MarkerKind = 'birth' | 'death' | 'output' | 'failure';

export interface Marker {
  /** Place in the happened order. */
  readonly index: number;
  readonly at: number;
  readonly kind: MarkerKind;
  readonly event: SequencedEvent;
}

const kindOf = (event: SequencedEvent): MarkerKind | null => {
  switch (event.type) {
    case 'process':
      if (event.change === 'exit') return event.exit && event.exit.code !== 0 ? 'failure' : 'death';
      return event.change === 'reparent' ? null : 'birth';
    case 'output':
      return 'output';
    case 'spanEnded':
      return event.status.code === 'error' ? 'failure' : null;
    case 'syscall':
      return event.errno !== null && !event.ignored ? 'failure' : null;
    case 'message':
      if (event.protocol === 'signal' && event.from.actor === 'lab') return 'failure';
      return event.direction === 'response' && /^[45]\d\d\b/.test(event.summary) ? 'failure' : null;
    case 'dropped':
      return 'failure';
    default:
      return null;
  }
};

export const isFailure = (event: SequencedEvent): boolean => kindOf(event) === 'failure';

let latest: {
  readonly model: RunModel;
  readonly version: number;
  readonly markers: readonly Marker[];
} | null = null;

export const markersOf = (model: RunModel): readonly Marker[] => {
  if (latest?.model === model && latest.version === model.version) return latest.markers;
  const markers = model.order.placed.flatMap(({ event, at }, index) => {
    const kind = kindOf(event);
    return kind ? [{ index, at, kind, event }] : [];
  });
  latest = { model, version: model.version, markers };
  return markers;
};
