/** How the page stands with the engine, in words that are true. */
import { useEffect, useState } from 'react';
import { t } from '../messages/catalogue.ts';
import { useTraces } from '../hooks.ts';
import { retryConnection } from '../session.ts';
import type { Connection } from '../trace/trace-store.ts';
import type { EngineStatus } from '@engine-room/engine/protocol/trace/stream.ts';

interface Words {
  readonly tone: 'ok' | 'wait' | 'bad';
  readonly mark: string;
  readonly text: string;
}

const wordsOf = (connection: Connection, engine: EngineStatus | null, nowMs: number): Words => {
  const words = t().connection;
  switch (connection.state) {
    case 'idle':
    case 'connecting':
      return { tone: 'wait', mark: '○', text: words.looking };
    case 'recorded':
      return { tone: 'wait', mark: '▣', text: words.recorded };
    case 'refused':
      return { tone: 'bad', mark: '✕', text: words.refused(connection.reason) };
    case 'lost': {
      const waitMs = connection.retryAtMs - nowMs;
      const when = waitMs > 0 ? words.in(String(Math.ceil(waitMs / 1000))) : words.now;
      return connection.wasLive
        ? {
            tone: 'bad',
            mark: '✕',
            text: words.lost(when),
          }
        : {
            tone: 'bad',
            mark: '✕',
            text: words.never(when),
          };
    }
    case 'live':
      return liveWords(connection.roundTripMs, engine);
  }
};

function liveWords(roundTripMs: number | null, engine: EngineStatus | null): Words {
  const words = t().connection;
  if (engine && !engine.canLaunch) {
    return {
      tone: 'bad',
      mark: '✕',
      text: words.cannotLaunch(engine.reason),
    };
  }
  const down = engine?.daemons.filter(({ state }) => state !== 'running') ?? [];
  if (down.length > 0) {
    const list = down
      .map(({ actor, state }) => (state === 'dead' ? words.isDown(actor) : words.isStarting(actor)))
      .join(', ');
    return { tone: 'wait', mark: '◐', text: words.liveBut(list) };
  }
  return {
    tone: 'ok',
    mark: '●',
    text: `${words.live}${roundTripMs === null ? '' : ` · ${roundTripMs} ms`}`,
  };
}

const COUNT_EVERY_MS = 250;

export const ConnectionChip = () => {
  const connection = useTraces((state) => state.connection);
  const engine = useTraces((state) => state.engine);
  const isLost = connection.state === 'lost';
  const nowMs = useNow(isLost);
  const { tone, mark, text } = wordsOf(connection, engine, nowMs);
  // The countdown is for eyes; a screen reader hears of the loss once.
  return (
    <>
      <span className="chip" data-tone={tone} aria-hidden={isLost}>
        <span aria-hidden="true">{mark}</span> {text}
      </span>
      <span className="sr-only" role="status">
        {isLost ? t().connection.lostOnce : text}
      </span>
      {isLost && (
        <button type="button" onClick={retryConnection}>
          {t().connection.tryNow}
        </button>
      )}
    </>
  );
};

/** The time, as long as somebody counts it down. */
function useNow(isCounting: boolean): number {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    if (!isCounting) return undefined;
    setNowMs(Date.now());
    const timer = setInterval(() => setNowMs(Date.now()), COUNT_EVERY_MS);
    return () => clearInterval(timer);
  }, [isCounting]);
  return nowMs;
}
