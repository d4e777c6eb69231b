/**
 * Who has which address (IP address management). What is taken is not written down here: networks and containers say
 * it, and a new dockerd asks them. Upstream: moby daemon/libnetwork/ipams/defaultipam.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import { isInside, isReserved, subnetOf, type Network } from './network.ts';
import {
  numberOfAddress,
  overlaps,
  parseSubnet,
  subnetAt,
  textOfAddress,
  type Subnet,
} from './subnet.ts';

const RANGES: readonly (readonly [first: string, last: string, prefix: number])[] = [
  // Docker begins at 172.17; a real one on the same machine shall find that free. What follows it is what people
  // name in their own networks (`--subnet 172.20.0.0/16`), so that comes last.
  ['172.29.0.0', '172.31.255.255', 16],
  ['172.20.0.0', '172.28.255.255', 16],
  ['192.168.0.0', '192.168.255.255', 20],
];

/** The subnets that a network without `--subnet` may get, in this order. */
const predefinedPools = (): Subnet[] =>
  RANGES.flatMap(([from, to, prefix]) => {
    const first = numberOfAddress(from) ?? 0;
    const size = 2 ** (32 - prefix);
    const count = ((numberOfAddress(to) ?? 0) + 1 - first) / size;
    return Array.from({ length: count }, (_, i) => subnetAt(first + i * size, prefix));
  });

/** The first pool that nobody on this machine uses. */
export const freePool = (taken: readonly Subnet[]): Subnet => {
  const free = predefinedPools().find((pool) => !taken.some((other) => overlaps(pool, other)));
  if (free) return free;
  throw new EngineError(
    'invalid_argument',
    'all predefined address pools have been fully subnetted',
  );
};

export class AddressBook {
  /** By network id: address → the endpoint that has it. */
  readonly #taken = new Map<string, Map<number, string>>();

  /** Gives the address that was asked for, or the lowest free one. */
  lease(network: Network, endpointId: string, asked: string): string {
    const taken = this.#taken.get(network.id) ?? new Map<number, string>();
    this.#taken.set(network.id, taken);
    const address = asked === '' ? lowestFree(network, taken) : checkAsked(network, taken, asked);
    taken.set(address, endpointId);
    return textOfAddress(address);
  }

  /** A container that runs has it already, whatever has become of the network since. */
  keep(networkId: string, endpointId: string, address: string): void {
    const taken = this.#taken.get(networkId) ?? new Map<number, string>();
    const number = numberOfAddress(address);
    if (number !== null) this.#taken.set(networkId, taken.set(number, endpointId));
  }

  /** Nothing happens when the address is another endpoint's by now. */
  release(networkId: string, endpointId: string, address: string): void {
    const taken = this.#taken.get(networkId);
    const number = numberOfAddress(address);
    if (number !== null && taken?.get(number) === endpointId) taken.delete(number);
  }

  forget(networkId: string): void {
    this.#taken.delete(networkId);
  }
}

const lowestFree = (network: Network, taken: ReadonlyMap<number, string>): number => {
  const range = network.ipRange === '' ? subnetOf(network) : parseSubnet(network.ipRange);
  for (let address = range.first; address <= range.last; address += 1) {
    if (!taken.has(address) && !isReserved(network, address)) return address;
  }
  throw new EngineError(
    'unavailable',
    `no available IPv4 addresses on this network's address pools: ${network.name} (${network.id})`,
  );
};

const checkAsked = (
  network: Network,
  taken: ReadonlyMap<number, string>,
  asked: string,
): number => {
  const address = numberOfAddress(asked);
  if (address === null) {
    throw new EngineError('invalid_argument', `invalid IPv4 address: ${asked}`);
  }
  if (!isInside(network, address)) {
    throw new EngineError(
      'invalid_argument',
      `no configured subnet or ip-range contain the IP address ${asked}`,
    );
  }
  if (taken.has(address) || isReserved(network, address)) {
    throw new EngineError('forbidden', 'Address already in use');
  }
  return address;
};
