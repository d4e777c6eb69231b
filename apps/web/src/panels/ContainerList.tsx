/** The containers of a run that has several: which, how they are, and the way to put one in focus. */
import '../styles/containers.css';
import { t } from '../messages/catalogue.ts';
import { containersOf, shortId } from '../model/containers.ts';
import { useModelVersion, usePlayhead, useReader } from '../hooks.ts';
import { readerStore, toggleFocus } from '../reader-store.ts';
import { DOWN, useRoving } from '../ui/use-roving.ts';

export const ContainerList = () => {
  const roving = useRoving<HTMLUListElement>('button', DOWN);
  useModelVersion();
  const machine = usePlayhead(({ model, n }) => model.machineAt(n));
  const focus = useReader((state) => state.focus);
  const containers = containersOf(machine);
  if (containers.length < 2) return null;
  return (
    <div className="containers" role="group" aria-labelledby="containers-title">
      <h3 id="containers-title">{t().containers.title(containers.length)}</h3>
      <ul {...roving}>
        {containers.map(({ id, state, pid, program }) => (
          <li key={id}>
            <button
              type="button"
              aria-pressed={focus === id}
              data-latest={machine.latest === id}
              onClick={() => toggleFocus(id)}
            >
              <span className="mono">{shortId(id)}</span> {t().containers.states[state]}
              {pid !== null && <span className="mono"> pid {pid}</span>}
              <span className="mono containers-program">{program}</span>
            </button>
          </li>
        ))}
      </ul>
      {focus !== null && (
        <button
          type="button"
          className="quiet"
          onClick={() => readerStore.setState({ focus: null })}
        >
          {t().containers.allAlike}
        </button>
      )}
    </div>
  );
};
