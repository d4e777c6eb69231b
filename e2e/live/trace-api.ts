/** Reads a finished run from the lab: as the browser of a page, or as a program that has nothing but the token. */
import { gunzipSync } from 'node:zlib';
import type { Page } from '@playwright/test';
import type { SequencedEvent } from '../../apps/engine/src/protocol/trace/event.ts';
import type { TraceFileHeader, TraceSummary } from '../../apps/engine/src/protocol/trace/stream.ts';
import type { OurEngine } from '../support/our-engine.ts';

async function get({ url }: OurEngine, path: string, page?: Page): Promise<Response> {
  const token = new URLSearchParams(new URL(url).hash.slice(1)).get('token') ?? '';
  const cookies = (await page?.context().cookies(url)) ?? [];
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  return fetch(new URL(path, url), { headers: { authorization: `Bearer ${token}`, cookie } });
}

export const traces = async (engine: OurEngine, page?: Page): Promise<TraceSummary[]> =>
  (await (await get(engine, '/api/traces', page)).json()) as TraceSummary[];

export async function traceOf(
  engine: OurEngine,
  traceId: string,
  page?: Page,
): Promise<{ header: TraceFileHeader; events: SequencedEvent[] }> {
  const bytes = Buffer.from(
    await (await get(engine, `/api/traces/${traceId}`, page)).arrayBuffer(),
  );
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString();
  const [header, ...events] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  return { header: header as TraceFileHeader, events: events as SequencedEvent[] };
}
