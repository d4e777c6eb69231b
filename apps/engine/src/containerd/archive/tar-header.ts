/**
 * The 512 bytes before each file of a tar, read. Three dialects: V7, POSIX ustar (with star's), GNU.
 * Reference: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, tar(5) of libarchive.
 */
import { EngineError } from '../../protocol/errdefs.ts';

export const BLOCK = 512;

export type TarType =
  'file' | 'link' | 'symlink' | 'character-device' | 'block-device' | 'directory' | 'fifo';

export interface RawHeader {
  readonly name: string;
  /** One letter; what it means is the reader's business, because some say something about the next header. */
  readonly flag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly modifiedAtSeconds: number;
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
  readonly block: Buffer;
}

export const invalidTar = (reason: string): EngineError =>
  new EngineError('invalid_argument', `invalid tar header: ${reason}: invalid argument`);

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Names are paths of Linux, which are bytes; those that are no text are refused rather than spoilt. */
export const textOf = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalidTar('a name is not UTF-8');
  }
};

const stringAt = (block: Buffer, start: number, length: number): string => {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return textOf(end < 0 ? field : field.subarray(0, end));
};

/** Octal digits, or (GNU, star) a binary number when the first bit is set. */
export const numberAt = (block: Buffer, start: number, length: number): number => {
  const field = block.subarray(start, start + length);
  const first = field[0] ?? 0;
  if (first & 0x80) {
    if (first & 0x40) throw invalidTar('a number is negative');
    let value = BigInt(first & 0x3f);
    for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidTar('a number is too large');
    return Number(value);
  }
  const digits = field.toString('latin1').replace(/^[\0 ]+|[\0 ][^]*$/g, '');
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw invalidTar('a number is not octal');
  return Number.parseInt(digits, 8);
};

/** The sum of all bytes, its own field counted as spaces. Old tars added the bytes as signed ones. */
const checkSum = (block: Buffer): void => {
  let unsigned = 0;
  let signed = 0;
  for (const [index, byte] of block.entries()) {
    const value = index >= 148 && index < 156 ? 0x20 : byte;
    unsigned += value;
    signed += value > 127 ? value - 256 : value;
  }
  const told = numberAt(block, 148, 8);
  if (told !== unsigned && told !== signed) throw invalidTar('wrong checksum');
};

export const isZeroBlock = (block: Buffer): boolean => block.every((byte) => byte === 0);

export const decodeHeader = (block: Buffer): RawHeader => {
  checkSum(block);
  const magic = block.toString('latin1', 257, 263);
  const isUstar = magic === 'ustar\0';
  const isGnu = magic === 'ustar ';
  const isStar = isUstar && block.toString('latin1', 508, 512) === 'tar\0';
  const prefix = isUstar ? stringAt(block, 345, isStar ? 131 : 155) : '';
  const name = stringAt(block, 0, 100);
  const hasDevice = isUstar || isGnu;
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    flag: String.fromCharCode(block[156] ?? 0),
    mode: numberAt(block, 100, 8),
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    sizeBytes: numberAt(block, 124, 12),
    modifiedAtSeconds: numberAt(block, 136, 12),
    linkName: stringAt(block, 157, 100),
    major: hasDevice ? numberAt(block, 329, 8) : 0,
    minor: hasDevice ? numberAt(block, 337, 8) : 0,
    block,
  };
};

const TYPES: Readonly<Record<string, TarType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  S: 'file',
};

export const typeOf = (flag: string, name: string): TarType => {
  const type = TYPES[flag];
  if (!type) throw invalidTar(`unhandled tar header type ${flag.charCodeAt(0)}`);
  // The first tars knew folders by the slash alone.
  return type === 'file' && flag !== 'S' && name.endsWith('/') ? 'directory' : type;
};
