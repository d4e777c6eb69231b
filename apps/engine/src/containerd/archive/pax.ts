/**
 * PAX records: `<length> <key>=<value>\n`, each overriding a field of the header that follows. Values are bytes:
 * a file capability is one (`SCHILY.xattr.security.capability`).
 * Reference: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, "pax Extended Header".
 */
import { invalidTar, textOf } from './tar-header.ts';

/** In their order: GNU's oldest sparse format repeats its keys. */
export type PaxRecords = readonly (readonly [key: string, value: Buffer])[];

export const decodePax = (bytes: Buffer): PaxRecords => {
  const records: [string, Buffer][] = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? '' : bytes.toString('latin1', at, space);
    const end = at + Number(digits);
    const equals = bytes.indexOf(0x3d, space);
    const isRecord =
      /^\d{1,7}$/.test(digits) &&
      end <= bytes.length &&
      equals > space &&
      equals < end &&
      bytes[end - 1] === 0x0a;
    if (!isRecord) {
      // Some writers fill the rest with zeros.
      if (bytes.subarray(at).every((byte) => byte === 0)) break;
      throw invalidTar('broken PAX record');
    }
    records.push([textOf(bytes.subarray(space + 1, equals)), bytes.subarray(equals + 1, end - 1)]);
    at = end;
  }
  return records;
};

export const encodePax = (records: PaxRecords): Buffer =>
  Buffer.concat(
    records.map(([key, value]) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
      // The length counts its own digits too.
      let length = rest.length + String(rest.length).length;
      length = rest.length + String(length).length;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );

/** The last one counts; an empty value takes the key back. */
export const paxText = (records: PaxRecords, key: string): string | undefined => {
  const value = records.findLast(([name]) => name === key)?.[1];
  return value === undefined || value.length === 0 ? undefined : textOf(value);
};

export const paxNumber = (records: PaxRecords, key: string): number | undefined => {
  const text = paxText(records, key);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw invalidTar(`${key} is not a number`);
  return value;
};

/** Seconds with a fraction, perhaps before 1970. */
export const paxTime = (records: PaxRecords, key: string): number | undefined => {
  const text = paxText(records, key);
  if (text === undefined) return undefined;
  if (!/^-?\d{1,15}(\.\d*)?$/.test(text)) throw invalidTar(`${key} is not a time`);
  return Number(text);
};

const ATTRIBUTE = 'SCHILY.xattr.';

/** Extended attributes of the file. */
export const paxAttributes = (records: PaxRecords): ReadonlyMap<string, Buffer> =>
  new Map(
    records.flatMap(([key, value]) =>
      key.startsWith(ATTRIBUTE) ? [[key.slice(ATTRIBUTE.length), value] as const] : [],
    ),
  );

export const attributeRecord = (name: string, value: Uint8Array): readonly [string, Buffer] => [
  `${ATTRIBUTE}${name}`,
  Buffer.from(value),
];
