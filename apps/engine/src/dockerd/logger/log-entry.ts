/**
 * One line of a `<id>-json.log`: {"log":"hello\n","stream":"stdout","time":"2026-01-02T03:04:05.678901234Z"}.
 * Upstream: moby daemon/logger/jsonfilelog/jsonlog.
 *
 * JSON holds text, but a program may write any bytes. What is not valid UTF-8 has a fourth field, `raw` (base64),
 * so that nothing is lost; in `log`, for other readers of the format, its bytes above 127 are question marks.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import type { StreamName } from '../../protocol/docker-engine-api/frame.ts';

export interface LogEntry {
  readonly stream: StreamName;
  readonly time: string;
  readonly bytes: Buffer;
}

const ASCII_END = 0x80;
const QUESTION_MARK = 0x3f;

/** One byte a character: a string of this kind is made and written several times faster than one with U+FFFD in it. */
const asciiText = (bytes: Buffer): string => {
  const copy = Buffer.from(bytes);
  for (let index = 0; index < copy.length; index++) {
    if ((copy[index] ?? 0) >= ASCII_END) copy[index] = QUESTION_MARK;
  }
  return copy.toString('latin1');
};

/** The line. Text of one byte a character need not be measured before it is written. */
export const encodeEntry = ({ stream, time, bytes }: LogEntry): Buffer => {
  if (isAscii(bytes))
    return lineOf(bytes.toString('latin1'), `"stream":"${stream}"`, time, 'latin1');
  if (isUtf8(bytes)) return lineOf(bytes.toString('utf8'), `"stream":"${stream}"`, time, 'utf8');
  const raw = bytes.toString('base64');
  return lineOf(asciiText(bytes), `"stream":"${stream}","raw":"${raw}"`, time, 'latin1');
};

const lineOf = (text: string, fields: string, time: string, encoding: BufferEncoding): Buffer =>
  Buffer.from(`{"log":${JSON.stringify(text)},${fields},"time":"${time}"}\n`, encoding);

/** Null for a line that is not an entry (somebody else wrote into the file). */
export const decodeEntry = (line: string): LogEntry | null => {
  try {
    const { log, stream, time, raw } = JSON.parse(line) as Record<string, unknown>;
    if (typeof log !== 'string' || typeof time !== 'string') return null;
    if (stream !== 'stdout' && stream !== 'stderr') return null;
    const bytes = typeof raw === 'string' ? Buffer.from(raw, 'base64') : Buffer.from(log, 'utf8');
    return { stream, time, bytes };
  } catch {
    return null;
  }
};

/** Now, with as many digits as the clock has. */
export const logTime = (): string => {
  const millis = performance.timeOrigin + performance.now();
  const whole = Math.floor(millis);
  const nanos = Math.floor((millis - whole) * 1e6);
  const text = new Date(whole).toISOString();
  return `${text.slice(0, -1)}${String(nanos).padStart(6, '0')}Z`;
};
