/**
 * Opens a recorded run: gzip of JSON lines, a header and then the events (`protocol/trace/stream.ts`).
 * What can be read is shown, and what cannot is counted; only a file that is no trace at all is refused.
 */
import type { SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import {
  TRACE_FORMAT_VERSION,
  type TraceFileHeader,
} from '@engine-room/engine/protocol/trace/stream.ts';
import { t } from '../messages/catalogue.ts';
import { isFileHeader, parseEvent } from './parse-event.ts';
import { readable } from './readable.ts';

/** A run is some 100 KiB; a file that unpacks to more than this is not one. */
const UNPACKED_LIMIT_BYTES = 128 * 1024 * 1024;
const EVENT_LIMIT = 200_000;

export interface RecordedTrace {
  readonly header: TraceFileHeader;
  readonly events: readonly SequencedEvent[];
  /** A sentence about what is missing, or null when everything was read. */
  readonly caveat: string | null;
}

export class TraceFileError extends Error {}

export const fetchRecordedTrace = async (
  url: string,
  headers: HeadersInit = {},
): Promise<RecordedTrace> => {
  const response = await fetch(url, { headers });
  if (!response.ok) throw new TraceFileError(t().files.notFetched(response.status));
  return readTrace(new Uint8Array(await response.arrayBuffer()));
};

/** The run that a saved page carries in itself; null in any other page. */
export const embeddedTrace = async (): Promise<RecordedTrace | null> => {
  const base64 = document.getElementById('recording')?.textContent ?? '';
  if (base64 === '') return null;
  return readTrace(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
};

export const readTrace = async (file: Uint8Array<ArrayBuffer>): Promise<RecordedTrace> => {
  const { text, isCut } = await unpack(file);
  const lines = text.split('\n');
  const header = parseHeader(lines[0] ?? '');
  const events: SequencedEvent[] = [];
  let damaged = isCut ? 1 : 0;
  const newer = new Set<string>();
  for (const line of lines.slice(1, EVENT_LIMIT + 1)) {
    if (line === '') continue;
    const parsed = parseEvent(parseJson(line));
    if ('event' in parsed && parsed.event.traceId === header.summary.traceId)
      events.push(parsed.event);
    else if ('problem' in parsed && parsed.problem === 'unknownKind')
      newer.add(String(Reflect.get(Object(parseJson(line)), 'type')));
    else damaged += 1;
  }
  return { header, events, caveat: caveatOf(header, newer.size, damaged) };
};

function caveatOf(header: TraceFileHeader, newerKinds: number, damaged: number): string | null {
  const words: string[] = [];
  if (header.version > TRACE_FORMAT_VERSION || newerKinds > 0) {
    words.push(t().files.newer(newerKinds));
  }
  if (damaged > 0) words.push(t().files.damaged(damaged));
  return words.length === 0 ? null : words.join('; ');
}

function parseHeader(line: string): TraceFileHeader {
  const header = parseJson(line);
  if (!isFileHeader(header)) throw new TraceFileError(t().files.noTrace);
  return readable(header);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Some servers unpack `.gz` on the way, so the first two bytes decide. */
async function unpack(file: Uint8Array<ArrayBuffer>): Promise<{ text: string; isCut: boolean }> {
  if (file[0] !== 0x1f || file[1] !== 0x8b)
    return { text: new TextDecoder().decode(file), isCut: false };
  const reader = new Blob([file]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  const decoder = new TextDecoder();
  let text = '';
  let sizeBytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { text: text + decoder.decode(), isCut: false };
      sizeBytes += value.byteLength;
      if (sizeBytes > UNPACKED_LIMIT_BYTES) throw new TraceFileError(t().files.unpacksTooLarge);
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    if (error instanceof TraceFileError) throw error;
    // A file that was cut off: the lines that came through are still good.
    if (text.includes('\n')) return { text, isCut: true };
    throw new TraceFileError(t().files.cannotUnpack, { cause: error });
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
