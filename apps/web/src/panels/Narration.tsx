/**
 * The run as text, in step with the playhead: every step that has happened is a sentence with its time. Whoever cannot
 * or does not want to watch the stage gets the same story here; what has not happened is not told.
 */
import '../styles/narration.css';
import { useEffect, useMemo, useRef } from 'react';
import { t } from '../messages/catalogue.ts';
import { captionOf } from '../model/caption.ts';
import { isFailure } from '../model/markers.ts';
import { offsetMs } from '../model/time-words.ts';
import { seekStep } from '../playback/playhead.ts';
import { useModelVersion, usePlayhead } from '../hooks.ts';
import { DOWN, useRoving } from '../ui/use-roving.ts';

/** More sentences than anybody reads at once; those before them come when one goes back. */
const SHOWN = 200;

export const Narration = () => {
  const version = useModelVersion();
  const model = usePlayhead((state) => state.model);
  const level = usePlayhead((state) => state.level);
  const step = usePlayhead((state) => state.step);
  const roving = useRoving<HTMLOListElement>('button', DOWN);
  const current = useRef<HTMLLIElement>(null);
  const steps = model.steps(level);
  const lines = useMemo(() => {
    void version;
    const first = Math.max(1, step - SHOWN + 1);
    return Array.from({ length: step - first + 1 }, (_, index) => {
      const placed = model.order.placed[steps.keyOf(first + index) ?? -1];
      return placed ? { number: first + index, placed } : null;
    }).filter((line) => line !== null);
  }, [model, steps, step, version]);
  useEffect(() => {
    // Its answer is no clean-up: newer browsers answer with a promise.
    current.current?.scrollIntoView({ block: 'nearest' });
  }, [step]);

  const [first] = lines;
  if (!first) return <p className="empty">{t().narration.before(steps.count)}</p>;
  return (
    <div className="narration">
      {first.number > 1 && <p className="muted">{t().narration.earlier(first.number - 1)}</p>}
      <ol {...roving} start={first.number} aria-label={t().narration.label}>
        {lines.map(({ number, placed: { event, at } }) => (
          <li
            key={event.id}
            ref={number === step ? current : null}
            aria-current={number === step ? 'step' : undefined}
          >
            <button type="button" onClick={() => seekStep(number)}>
              <span className="mono narration-time">+{offsetMs(at)} ms</span>{' '}
              {isFailure(event) && <span aria-hidden="true">✕ </span>}
              {captionOf(event, model)}
            </button>
          </li>
        ))}
      </ol>
      <p className="muted">
        {step < steps.count ? t().narration.toCome(steps.count - step) : t().narration.end}
      </p>
    </div>
  );
};
