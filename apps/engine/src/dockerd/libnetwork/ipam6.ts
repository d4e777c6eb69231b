/**
 * Who has which IPv6 address, and subnets for networks that ask for none: unique local ones, under a prefix that is
 * this engine's own (RFC 4193). As in `ipam.ts`, networks and containers say what is taken.
 * Upstream: moby daemon/libnetwork/ipams/defaultipam, daemon/network/ula.go.
 */
import { createHash } from 'node:crypto';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Network } from './network.ts';
import {
  contains6,
  numberOfAddress6,
  overlaps6,
  parseSubnet6,
  subnetAt6,
  textOfAddress6,
  type Subnet6,
} from './subnet6.ts';

const SUBNET_BITS = 64n;
const SUBNETS = 65_536;

/** The first /64 below the engine's own /48 that nobody on this machine uses. */
export const freeSubnet6 = (owner: string, taken: readonly Subnet6[]): Subnet6 => {
  const global = createHash('sha256').update(owner).digest().subarray(0, 5);
  const prefix = BigInt(`0xfd${global.toString('hex')}`);
  for (let number = 0; number < SUBNETS; number += 1) {
    const subnet = subnetAt6(((prefix << 16n) | BigInt(number)) << SUBNET_BITS, 64);
    if (!taken.some((other) => overlaps6(other, subnet))) return subnet;
  }
  throw new EngineError(
    'invalid_argument',
    'all predefined address pools have been fully subnetted',
  );
};

export class AddressBook6 {
  /** By network id: address → the endpoint that has it. */
  readonly #taken = new Map<string, Map<bigint, string>>();

  /** Gives the address that was asked for, or the lowest free one. Precondition: the network has IPv6. */
  lease(network: Network, endpointId: string, asked: string): string {
    const taken = this.#of(network.id);
    const address = asked === '' ? lowestFree(network, taken) : checkAsked(network, taken, asked);
    taken.set(address, endpointId);
    return textOfAddress6(address);
  }

  /** A container that runs has it already, whatever has become of the network since. */
  keep(networkId: string, endpointId: string, address: string): void {
    const number = numberOfAddress6(address);
    if (number !== null) this.#of(networkId).set(number, endpointId);
  }

  /** Nothing happens when the address is another endpoint's by now. */
  release(networkId: string, endpointId: string, address: string): void {
    const taken = this.#of(networkId);
    const number = numberOfAddress6(address);
    if (number !== null && taken.get(number) === endpointId) taken.delete(number);
  }

  forget(networkId: string): void {
    this.#taken.delete(networkId);
  }

  #of(networkId: string): Map<bigint, string> {
    const taken = this.#taken.get(networkId) ?? new Map<bigint, string>();
    this.#taken.set(networkId, taken);
    return taken;
  }
}

/** The network's own address, the gateway's, and those of others. */
const isReserved = ({ gateway6, auxiliary }: Network, subnet: Subnet6, address: bigint): boolean =>
  address === subnet.first ||
  [gateway6, ...Object.values(auxiliary)].some((other) => numberOfAddress6(other) === address);

const lowestFree = (network: Network, taken: ReadonlyMap<bigint, string>): bigint => {
  const subnet = parseSubnet6(network.subnet6);
  const range = network.ipRange6 === '' ? subnet : parseSubnet6(network.ipRange6);
  for (let { first: address } = range; address <= range.last; address += 1n) {
    if (!taken.has(address) && !isReserved(network, subnet, address)) return address;
  }
  throw new EngineError(
    'unavailable',
    `no available IPv6 addresses on this network's address pools: ${network.name} (${network.id})`,
  );
};

const checkAsked = (
  network: Network,
  taken: ReadonlyMap<bigint, string>,
  asked: string,
): bigint => {
  const address = numberOfAddress6(asked);
  if (address === null) {
    throw new EngineError('invalid_argument', `invalid IPv6 address: ${asked}`);
  }
  const subnet = parseSubnet6(network.subnet6);
  if (!contains6(subnet, address)) {
    throw new EngineError(
      'invalid_argument',
      `no configured subnet or ip-range contain the IP address ${asked}`,
    );
  }
  if (taken.has(address) || isReserved(network, subnet, address)) {
    throw new EngineError('forbidden', 'Address already in use');
  }
  return address;
};
