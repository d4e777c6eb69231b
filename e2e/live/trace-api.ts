/** Reads a finished run from the lab, as any program with the token could. */
import { gunzipSync } from 'node:zlib';
import type { SequencedEvent } from '../../apps/engine/src/protocol/trace/event.ts';
import type { TraceFileHeader, TraceSummary } from '../../apps/engine/src/protocol/trace/stream.ts';
import type { OurEngine } from '../support/our-engine.ts';

async function get({ url }: OurEngine, path: string): Promise<Response> {
  const token = new URLSearchParams(new URL(url).hash.slice(1)).get('token') ?? '';
  return fetch(new URL(path, url), { headers: { authorization: `Bearer ${token}` } });
}

export const traces = async (engine: OurEngine): Promise<TraceSummary[]> =>
  (await (await get(engine, '/api/traces')).json()) as TraceSummary[];

export async function traceOf(
  engine: OurEngine,
  traceId: string,
): Promise<{ header: TraceFileHeader; events: SequencedEvent[] }> {
  const bytes = Buffer.from(await (await get(engine, `/api/traces/${traceId}`)).arrayBuffer());
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString();
  const [header, ...events] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  return { header: header as TraceFileHeader, events: events as SequencedEvent[] };
}
