/**
 * A recorded trace: gzip of JSON lines, the header first, then the events in order of `seq`.
 * The format is `TraceFileHeader` and `SequencedEvent` of protocol/trace/.
 */
import { createReadStream } from 'node:fs';
import { arch, release, type } from 'node:os';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { createGunzip, gunzip, gzip } from 'node:zlib';
import { EngineError } from '../../protocol/errdefs.ts';
import type { TraceFileHeader, TraceSummary } from '../../protocol/trace/stream.ts';
import { TRACE_FORMAT_VERSION } from '../../protocol/trace/stream.ts';

const gzipAsync = promisify(gzip);
/** Less than half of the usual level's time, for a file that is an eighth larger. */
const LEVEL = 3;
const gunzipAsync = promisify(gunzip);
/** A file of the lab's own making is far smaller; more than this is a bomb. */
const UNPACKED_LIMIT_BYTES = 256 * 1024 * 1024;

export const newHeader = (summary: TraceSummary): TraceFileHeader => ({
  format: 'engine-room-trace',
  version: TRACE_FORMAT_VERSION,
  summary,
  recordedAt: new Date().toISOString(),
  machine: `${type()} ${release()} ${arch()}`,
});

/** `lines` are the events as JSON, without line ends. */
export const encodeTraceFile = (
  header: TraceFileHeader,
  lines: readonly string[],
): Promise<Buffer> =>
  gzipAsync(`${[JSON.stringify(header), ...lines].join('\n')}\n`, { level: LEVEL });

export interface DecodedTraceFile {
  readonly header: TraceFileHeader;
  readonly lines: readonly string[];
}

export const decodeTraceFile = async (packed: Uint8Array): Promise<DecodedTraceFile> => {
  const text = await gunzipAsync(packed, { maxOutputLength: UNPACKED_LIMIT_BYTES });
  const [first = '', ...lines] = text.toString('utf8').split('\n');
  return { header: parseHeader(first), lines: lines.filter((line) => line.length > 0) };
};

/** Only the first line is unpacked. */
export const readHeader = async (path: string): Promise<TraceFileHeader> => {
  const file = createReadStream(path);
  const unpacked = file.pipe(createGunzip());
  try {
    for await (const line of createInterface({ input: unpacked })) return parseHeader(line);
    throw new EngineError('invalid_argument', `${path} is empty`);
  } finally {
    file.destroy();
    unpacked.destroy();
  }
};

const parseHeader = (line: string): TraceFileHeader => {
  const header: unknown = JSON.parse(line);
  if (
    typeof header !== 'object' ||
    header === null ||
    !('format' in header) ||
    header.format !== 'engine-room-trace' ||
    !('version' in header) ||
    typeof header.version !== 'number'
  ) {
    throw new EngineError('invalid_argument', 'not an engine-room trace');
  }
  if (header.version > TRACE_FORMAT_VERSION) {
    throw new EngineError(
      'not_implemented',
      `trace format ${header.version} is newer than this program`,
    );
  }
  return header as TraceFileHeader;
};
