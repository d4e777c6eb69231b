/** IPv4 addresses as numbers and subnets as ranges of them. */
import { isIPv4 } from 'node:net';
import { EngineError } from '../../protocol/errdefs.ts';

export interface Subnet {
  /** The address of the network itself, and its broadcast address. */
  readonly first: number;
  readonly last: number;
  readonly prefix: number;
}

export const numberOfAddress = (address: string): number | null =>
  isIPv4(address) ? address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) : null;

export const textOfAddress = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');

export const bytesOfAddress = (address: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address);
  return bytes;
};

/** `172.20.0.0/16`. */
export const textOfSubnet = ({ first, prefix }: Subnet): string =>
  `${textOfAddress(first)}/${prefix}`;

export const subnetAt = (address: number, prefix: number): Subnet => {
  const size = 2 ** (32 - prefix);
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1, prefix };
};

/** Throws what Docker's parser (Go's net.ParseCIDR) says. */
export const parseSubnet = (given: string): Subnet => {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,2})$/.exec(given) ?? [];
  const number = numberOfAddress(address);
  const prefix = Number(bits);
  if (number === null || bits === '' || prefix > 32) {
    throw new EngineError(
      'invalid_argument',
      `invalid subnet ${given}: invalid CIDR address: ${given}`,
    );
  }
  return subnetAt(number, prefix);
};

export const overlaps = (left: Subnet, right: Subnet): boolean =>
  left.first <= right.last && right.first <= left.last;

export const contains = ({ first, last }: Subnet, address: number): boolean =>
  address >= first && address <= last;
