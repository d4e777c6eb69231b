/** The lines of our engine that told the event. The build puts the engine's source beside the page, under /source/. */
import { useEffect, useState } from 'react';
import { t } from '../messages/catalogue.ts';
import { excerptOf, placeOf, upstreamOf } from '../model/source-text.ts';

type Loaded = { readonly text: string } | { readonly problem: string };

export const SourceExcerpt = ({ source }: { source: string }) => {
  const place = placeOf(source);
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const path = place?.path ?? null;
  useEffect(() => {
    if (path === null) return undefined;
    const gone = new AbortController();
    load(path, gone.signal).then(setLoaded, () => undefined);
    return () => gone.abort();
  }, [path]);

  if (!place) return <p className="mono breaks">{source}</p>;
  if (!loaded) return <p className="muted">{t().inspector.fetching(place.path)}</p>;
  if ('problem' in loaded)
    return (
      <p className="muted">
        <span className="mono breaks">{source}</span> {loaded.problem}
      </p>
    );
  const upstream = upstreamOf(loaded.text);
  return (
    <>
      <p className="mono breaks">{source}</p>
      <pre className="source" tabIndex={0} aria-label={t().inspector.sourceLine(place.line)}>
        {excerptOf(loaded.text, place.line).map(({ number, text, isMarked }) => (
          <span key={number} className="source-line" data-marked={isMarked}>
            <span className="source-number" aria-hidden="true">
              {isMarked ? '▸' : ' '}
              {String(number).padStart(4)}{' '}
            </span>
            {text}
            {'\n'}
          </span>
        ))}
      </pre>
      {upstream !== null && (
        <p>
          {t().inspector.upstream} <span className="mono breaks">{upstream}</span>
        </p>
      )}
    </>
  );
};

async function load(path: string, signal: AbortSignal): Promise<Loaded> {
  try {
    const response = await fetch(`${import.meta.env.BASE_URL}source/${path}.txt`, { signal });
    const isText = response.headers.get('content-type')?.startsWith('text/plain') === true;
    // A server that answers every address with its index page does not have the file.
    if (!response.ok || !isText) return { problem: t().inspector.notServed };
    return { text: await response.text() };
  } catch (error) {
    if (signal.aborted) throw error;
    return { problem: t().inspector.notNow };
  }
}
