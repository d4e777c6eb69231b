/** The sentence of where we are: the caption's, and that of a picture. */
import { t } from '../messages/catalogue.ts';
import { captionOf } from '../model/caption.ts';
import type { RunModel } from '../model/run-model.ts';
import { offsetMs } from '../model/time-words.ts';
import type { PlayheadState } from '../playback/playhead.ts';
import type { Run } from '../trace/trace-store.ts';

type Here = Pick<PlayheadState, 'model' | 'level' | 'step' | 'overview'>;

export const whereWords = ({ model, level, step }: Here): string => {
  const { count } = model.steps(level);
  return count === 0 ? '' : t().caption.step(step, count);
};

export const sentenceOf = (
  { model, level, step, overview }: Here,
  run: Run | undefined,
): string => {
  if (overview?.isOver) return overviewWords(model);
  const placed = model.order.placed[model.steps(level).keyOf(step) ?? -1];
  if (placed) return captionOf(placed.event, model);
  if (!run) return t().caption.nothing;
  return run.summary.origin === 'recording' ? t().caption.recorded : t().caption.before;
};

/** What a newcomer has just seen go by, and what to do next. */
function overviewWords(model: RunModel): string {
  const { current } = model.machineAt(model.length);
  const programs = Object.keys(current).filter((actor) => actor !== 'kernel' && actor !== 'lab');
  return t().caption.overview(offsetMs(model.endAt), programs.length);
}
