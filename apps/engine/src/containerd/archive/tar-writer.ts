/**
 * Writes entries of a tar: POSIX ustar where that is enough, PAX records before it for all that does not fit (long
 * names, large numbers, extended attributes). Upstream: Go's archive/tar in the format that containerd chooses.
 */
import { attributeRecord, encodePax } from './pax.ts';
import { BLOCK, type TarType } from './tar-header.ts';
import type { TarHeader } from './tar-reader.ts';

const FLAGS: Readonly<Record<TarType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  'character-device': '3',
  'block-device': '4',
  directory: '5',
  fifo: '6',
};

export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

/** What stands behind so much data. */
export const padding = (sizeBytes: number): Buffer =>
  Buffer.alloc((BLOCK - (sizeBytes % BLOCK)) % BLOCK);

const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length;

export const encodeHeader = (header: TarHeader): Buffer => {
  const pax: (readonly [string, Buffer])[] = [];
  const record = (key: string, value: string | number): void => {
    pax.push([key, Buffer.from(String(value))]);
  };
  const seconds = Math.floor(header.modifiedAt.getTime() / 1000);
  if (header.name.length > 100 || !isAscii(header.name)) record('path', header.name);
  if (header.linkName.length > 100 || !isAscii(header.linkName))
    record('linkpath', header.linkName);
  if (header.sizeBytes > 0o77777777777) record('size', header.sizeBytes);
  if (header.uid > 0o7777777) record('uid', header.uid);
  if (header.gid > 0o7777777) record('gid', header.gid);
  if (seconds < 0 || seconds > 0o77777777777) record('mtime', seconds);
  for (const [name, value] of [...header.attributes].sort(([a], [b]) => (a < b ? -1 : 1)))
    pax.push(attributeRecord(name, value));
  const block = encodeBlock(header, FLAGS[header.type]);
  if (pax.length === 0) return block;
  const records = encodePax(pax);
  const before = encodeBlock(
    { ...header, name: paxName(header.name), linkName: '', mode: 0o644, sizeBytes: records.length },
    'x',
  );
  return Buffer.concat([before, records, padding(records.length), block]);
};

/** Where a tar without PAX would put the records. */
const paxName = (name: string): string => `PaxHeaders.0/${name.split('/').at(-1) ?? ''}`;

const encodeBlock = (header: TarHeader, flag: string): Buffer => {
  const block = Buffer.alloc(BLOCK);
  const text = (value: string, start: number, length: number): void => {
    block.write(isAscii(value) ? value : value.replace(/[^ -~]/g, '?'), start, length, 'latin1');
  };
  const number = (value: number, start: number, length: number): void => {
    const digits = Math.max(0, value)
      .toString(8)
      .padStart(length - 1, '0');
    // What does not fit stands in a PAX record.
    block.write(digits.length < length ? digits : '0'.repeat(length - 1), start, 'latin1');
  };
  text(header.name, 0, 100);
  number(header.mode & 0o7777, 100, 8);
  number(header.uid, 108, 8);
  number(header.gid, 116, 8);
  number(header.sizeBytes, 124, 12);
  number(Math.floor(header.modifiedAt.getTime() / 1000), 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(flag, 156, 'latin1');
  text(header.linkName, 157, 100);
  block.write('ustar\x0000', 257, 'latin1');
  number(header.major, 329, 8);
  number(header.minor, 337, 8);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
};
