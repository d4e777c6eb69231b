/** IPv6 addresses as numbers and subnets as ranges of them. RFC 4291, RFC 5952. */
import { isIPv6 } from 'node:net';
import { EngineError } from '../../protocol/errdefs.ts';

export interface Subnet6 {
  readonly first: bigint;
  readonly last: bigint;
  readonly prefix: number;
}

const BITS = 128;
const GROUPS = 8;
const GROUP_BITS = 16n;

/** `a.b.c.d` at the end stands for two groups. */
const groupsOf = (text: string): string[] =>
  text === ''
    ? []
    : text.split(':').flatMap((group) => {
        if (!group.includes('.')) return [group];
        const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
        return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
      });

/** Null for what is no address. A zone (`%eth0`) is none of a network's. */
export const numberOfAddress6 = (text: string): bigint | null => {
  if (!isIPv6(text) || text.includes('%')) return null;
  const [head = '', tail] = text.split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array.from({ length: GROUPS - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce(
    (sum, group) => (sum << GROUP_BITS) | BigInt(`0x${group}`),
    0n,
  );
};

/** The longest row of zeros, of two groups at least, becomes `::`. */
export const textOfAddress6 = (address: bigint): string => {
  const groups = Array.from({ length: GROUPS }, (_, index) =>
    ((address >> (GROUP_BITS * BigInt(GROUPS - 1 - index))) & 0xffffn).toString(16),
  );
  const rows = [...groups.join(':').matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)];
  const longest = rows.reduce((best, row) => (row[0].length > best.length ? row[0] : best), '');
  if (longest === '') return groups.join(':');
  const text = groups.join(':');
  const at = text.search(new RegExp(`(?<![0-9a-f])${longest}(?![0-9a-f])`));
  return `${text.slice(0, at).replace(/:$/, '')}::${text.slice(at + longest.length).replace(/^:/, '')}`;
};

export const bytesOfAddress6 = (address: bigint): Buffer =>
  Buffer.from(address.toString(16).padStart(BITS / 4, '0'), 'hex');

export const subnetAt6 = (address: bigint, prefix: number): Subnet6 => {
  const size = 1n << BigInt(BITS - prefix);
  const first = (address / size) * size;
  return { first, last: first + size - 1n, prefix };
};

/** Throws what Docker's parser (Go's net.ParseCIDR) says. */
export const parseSubnet6 = (given: string): Subnet6 => {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(given) ?? [];
  const number = numberOfAddress6(address);
  const prefix = Number(bits);
  if (number === null || bits === '' || prefix > BITS) {
    throw new EngineError(
      'invalid_argument',
      `invalid subnet ${given}: invalid CIDR address: ${given}`,
    );
  }
  return subnetAt6(number, prefix);
};

export const textOfSubnet6 = ({ first, prefix }: Subnet6): string =>
  `${textOfAddress6(first)}/${prefix}`;

export const overlaps6 = (left: Subnet6, right: Subnet6): boolean =>
  left.first <= right.last && right.first <= left.last;

export const contains6 = ({ first, last }: Subnet6, address: bigint): boolean =>
  address >= first && address <= last;
