/**
 * A place in a run as an address: `#run=<trace id>&step=9&level=step`. It carries no token: whoever opens it needs an
 * engine of their own that knows the run, or the tab that is open already.
 */
import type { Level } from '@engine-room/engine/protocol/trace/event.ts';

export interface DeepLink {
  readonly traceId: string;
  readonly step: number;
  readonly level: Level;
}

export const parseDeepLink = (hash: string): DeepLink | null => {
  const words = new URLSearchParams(hash.replace(/^#/, ''));
  const traceId = words.get('run') ?? '';
  if (!/^[0-9a-f]{32}$/.test(traceId)) return null;
  const step = Number(words.get('step') ?? 0);
  const level = words.get('level');
  return {
    traceId,
    step: Number.isSafeInteger(step) && step >= 0 ? step : 0,
    level: level === 'chapter' || level === 'detail' ? level : 'step',
  };
};

export const formatDeepLink = ({ traceId, step, level }: DeepLink): string =>
  `#run=${traceId}&step=${step}&level=${level}`;
