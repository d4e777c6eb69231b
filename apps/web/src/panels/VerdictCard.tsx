/** What survived a fault, and why: at the playhead, from the trace. */
import { t } from '../messages/catalogue.ts';
import { labelOf } from '../model/actors.ts';
import { verdictAt, type Fate } from '../model/verdict.ts';
import { useModelVersion, usePlayhead } from '../hooks.ts';
import { seekEvent } from '../playback/playhead.ts';
import { select } from '../reader-store.ts';

const MARKS: Readonly<Record<Fate, string>> = {
  struck: '⚡',
  died: '✕',
  replaced: '↻',
  survived: '✓',
  unseen: '·',
};

export const VerdictCard = () => {
  useModelVersion();
  const model = usePlayhead((state) => state.model);
  const n = usePlayhead((state) => state.n);
  const verdict = verdictAt(model, n);
  if (!verdict) return null;
  const { fault, lines } = verdict;
  return (
    <section className="verdict" aria-labelledby="verdict-title">
      <h2 id="verdict-title">{t().tell.afterSignal(fault.signal, fault.actor)}</h2>
      <ul>
        {lines.map(({ actor, pid, fate, words, why, eventId }) => (
          <li key={pid} data-fate={fate}>
            <span aria-hidden="true" className="verdict-mark">
              {MARKS[fate]}
            </span>
            <span>
              <b>{labelOf(actor)}</b> <span className="mono">pid {pid}</span> {words}
              <span className="verdict-why">
                {t().verdict.because(why)}
                {eventId !== null && model.placed(eventId) && (
                  <>
                    {' '}
                    <button
                      type="button"
                      className="quiet"
                      onClick={() => {
                        seekEvent(eventId);
                        select({ event: eventId });
                      }}
                    >
                      {t().verdict.evidence}
                      <span className="sr-only"> {t().verdict.evidenceFor(labelOf(actor))}</span>
                    </button>
                  </>
                )}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
};
