/** gRPC's headers: metadata, deadlines and the escaping of error messages. */
import type { IncomingHttpHeaders } from 'node:http2';

export const NAMESPACE_KEY = 'containerd-namespace';
/** How our own daemons name themselves. */
export const USER_AGENT = 'engine-room';
/** W3C's answer to `traceparent`: the server's own span. */
export const TRACERESPONSE_KEY = 'traceresponse';

/** Headers that belong to HTTP/2 or to gRPC, not to the caller's metadata. */
const isReserved = (name: string): boolean =>
  name.startsWith(':') || name.startsWith('grpc-') || name === 'te' || name === 'content-type';

export const metadataOf = (headers: IncomingHttpHeaders): Map<string, string> => {
  const metadata = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || isReserved(name)) continue;
    metadata.set(name, Array.isArray(value) ? value.join(',') : value);
  }
  return metadata;
};

/** A header is ASCII: anything else is written as %XX, byte by byte. */
export const encodeMessage = (message: string): string => {
  let encoded = '';
  for (const byte of Buffer.from(message)) {
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
};

export const decodeMessage = (encoded: string): string => {
  const bytes = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString();
};

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};
/** setTimeout knows no longer wait (about 25 days). */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** `100m` is 100 milliseconds. Undefined when there is no (valid) deadline. */
export const parseTimeout = (header: string | string[] | undefined): number | undefined => {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(header ?? '')) ?? [];
  if (!digits || !unit) return undefined;
  return Math.min(Math.ceil(Number(digits) * (UNIT_MS[unit] ?? 1)), LONGEST_TIMEOUT_MS);
};

export const formatTimeout = (milliseconds: number): string => {
  const whole = Math.max(0, Math.ceil(milliseconds));
  return whole < 1e8 ? `${whole}m` : `${Math.ceil(whole / 1000)}S`;
};
