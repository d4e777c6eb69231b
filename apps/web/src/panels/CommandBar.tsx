/** The request: a command line that one may edit, a few to pick from, and the one bright button. */
import { useEffect, useId, useRef, useState, type FormEvent } from 'react';
import { t } from '../messages/catalogue.ts';
import { useReader, useTraces } from '../hooks.ts';
import { leaveLine, sendRequest } from '../session.ts';
import { Inline } from '../ui/Inline.tsx';
import { hintFor } from './command-hints.ts';
import { SCENARIOS } from './scenarios.ts';

const PATIENCE_MS = 300;

export const CommandBar = () => {
  const [command, setCommand] = useState(SCENARIOS[0]?.command ?? '');
  const [wasTried, setWasTried] = useState(false);
  const hintId = useId();
  const button = useRef<HTMLButtonElement>(null);
  const sending = useReader((state) => state.sending);
  const refusal = useReader((state) => state.refusal);
  // Whoever is quicker than the line may send already: the request waits for nothing but the lab.
  const canSend = useTraces(
    ({ connection, engine }) =>
      ['idle', 'connecting', 'live'].includes(connection.state) && engine?.canLaunch !== false,
  );
  const hint = hintFor(command);
  const isStale = refusal?.command !== command;
  const problem = wasTried && hint ? hint : refusal && !isStale ? refusal : null;

  useEffect(() => {
    // Drawn anew in another language: whoever was somewhere stays there.
    if (document.activeElement === document.body) button.current?.focus({ preventScroll: true });
  }, []);

  const edit = (next: string): void => {
    setCommand(next);
    setWasTried(false);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setWasTried(true);
    if (!hint && canSend) void sendRequest(command);
  };

  return (
    <section className="command" aria-label={t().command.region}>
      <form onSubmit={submit}>
        <label className="command-line mono">
          <span aria-hidden="true">$</span>
          <span className="sr-only">{t().command.line}</span>
          <input
            value={command}
            onChange={({ target }) => edit(target.value)}
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="off"
            aria-invalid={problem !== null}
            aria-describedby={hintId}
          />
        </label>
        <label className="command-scenario">
          <span>{t().command.scenario}</span>
          <select
            value={SCENARIOS.some((scenario) => scenario.command === command) ? command : ''}
            onChange={({ target }) => edit(target.value)}
          >
            <option value="" disabled hidden>
              {t().command.own}
            </option>
            {SCENARIOS.map((scenario) => (
              <option key={scenario.name} value={scenario.command}>
                {t().scenarios[scenario.name]}
              </option>
            ))}
          </select>
        </label>
        <button
          ref={button}
          type="submit"
          className="primary"
          aria-disabled={!canSend || sending !== null}
          aria-describedby={hintId}
        >
          {sending ? t().command.sending : t().command.send}
        </button>
      </form>
      <div id={hintId} className="command-says" role="status">
        {problem ? (
          <Problem command={command} message={problem.message} position={problem.position} />
        ) : sending ? (
          <Waiting />
        ) : null}
      </div>
      {!canSend && wasTried && <NoEngine />}
    </section>
  );
};

const NoEngine = () => {
  const connection = useTraces((state) => state.connection);
  const hasRun = useTraces(({ runs }) => runs.size > 0);
  if (
    connection.state === 'live' ||
    connection.state === 'connecting' ||
    connection.state === 'idle'
  )
    return null;
  return (
    <p className="command-note">
      <Inline text={t().command.needsEngine} /> {hasRun ? t().command.canExplore : ''}
    </p>
  );
};

/** The line again, with a mark under the place that is meant. */
const Problem = ({
  command,
  message,
  position,
}: {
  command: string;
  message: string;
  position: number | null;
}) => (
  <div className="problem">
    <p>
      <span aria-hidden="true">✕ </span>
      {message}
      {position !== null && (
        <span className="sr-only"> {t().command.atCharacter(position + 1)}</span>
      )}
    </p>
    {position !== null && (
      <pre aria-hidden="true" className="problem-place">
        {command}
        {'\n'}
        {' '.repeat(position)}^
      </pre>
    )}
  </div>
);

/** The lab takes so many at once; who has to wait is told how long the line is, and need not stay in it. */
const Waiting = () => {
  const ahead = useTraces((state) => state.ahead);
  const [isLong, setIsLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!isLong) return null;
  if (ahead === null) return <p>{t().command.waiting}</p>;
  return (
    <p>
      {t().command.ahead(ahead)}{' '}
      <button type="button" className="quiet" onClick={leaveLine}>
        {t().command.leave}
      </button>
    </p>
  );
};
