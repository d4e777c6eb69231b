/**
 * The language in which the kernel's networking is configured: messages with a header, a family's own header, and
 * attributes that may hold attributes. Numbers are in the machine's order (little-endian on x86-64 and arm64).
 * See netlink(7), netlink(3). Upstream: github.com/vishvananda/netlink/nl.
 */
import { getSystemErrorName } from 'node:util';

export const NLM_F = {
  REQUEST: 0x1,
  ACK: 0x4,
  /** Of a question: all that there is. */
  DUMP: 0x300,
  /** Of a new thing: it must not be there yet; make it when it is not; put it behind what is there. */
  EXCL: 0x200,
  CREATE: 0x400,
  APPEND: 0x800,
} as const;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
/** The upper bits of an attribute's type: it holds attributes; it is in network order. */
export const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

const aligned = (length: number): number => (length + 3) & ~3;

export const u8 = (value: number): Buffer => Buffer.from([value]);
export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
/** Network order, as nf_tables wants its numbers. */
export const be32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
export const be16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
};
/** A string with the NUL at its end. */
export const text = (value: string): Buffer => Buffer.from(`${value}\0`);

/** One attribute: length, type, value, padding. */
export const attribute = (type: number, value: Uint8Array): Buffer => {
  const length = ATTRIBUTE_HEADER_BYTES + value.byteLength;
  const bytes = Buffer.alloc(aligned(length));
  bytes.writeUInt16LE(length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, ATTRIBUTE_HEADER_BYTES);
  return bytes;
};

export const nested = (type: number, ...attributes: readonly Uint8Array[]): Buffer =>
  attribute(type | NLA_F_NESTED, Buffer.concat(attributes));

let sequence = 0;

/** One message: header, then the family's header and attributes as they are given. */
export const message = (type: number, flags: number, ...parts: readonly Uint8Array[]): Buffer => {
  const payload = Buffer.concat(parts);
  const bytes = Buffer.alloc(aligned(HEADER_BYTES + payload.length));
  bytes.writeUInt32LE(HEADER_BYTES + payload.length, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeUInt16LE(flags | NLM_F.REQUEST, 6);
  sequence = (sequence + 1) >>> 0;
  bytes.writeUInt32LE(sequence, 8);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
};

export interface Answer {
  readonly type: number;
  readonly payload: Buffer;
}

/** The kernel said no; `code` is the name of the errno. */
export class NetlinkError extends Error {
  readonly code: string;
  constructor(errno: number, what: string) {
    const code = getSystemErrorName(-errno);
    super(`${what}: ${code}`);
    this.name = 'NetlinkError';
    this.code = code;
  }
}

/** What came back. Throws the first refusal in it; `what` says what was asked. */
export const readAnswers = (bytes: Buffer, what: string): Answer[] => {
  const answers: Answer[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER_BYTES || at + length > bytes.length) break;
    const type = bytes.readUInt16LE(at + 4);
    const payload = bytes.subarray(at + HEADER_BYTES, at + length);
    if (type === NLMSG_ERROR) {
      const errno = -payload.readInt32LE(0);
      if (errno !== 0) throw new NetlinkError(errno, what);
    } else if (type !== NLMSG_DONE) {
      answers.push({ type, payload });
    }
    at += aligned(length);
  }
  return answers;
};

/** Attributes by type. Of several with one type the last counts. */
export const readAttributes = (bytes: Buffer): ReadonlyMap<number, Buffer> => {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + ATTRIBUTE_HEADER_BYTES <= bytes.length;) {
    const length = bytes.readUInt16LE(at);
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > bytes.length) break;
    const type = bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK;
    found.set(type, bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length));
    at += aligned(length);
  }
  return found;
};

export const readText = (bytes: Buffer | undefined): string =>
  bytes ? bytes.toString('utf8').replace(/\0.*$/s, '') : '';
