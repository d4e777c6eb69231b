/**
 * What a container gets of a network: an address, a name for its interface, a cable that is not there yet.
 * Upstream: moby daemon/libnetwork/network.go CreateEndpoint, daemon/container_operations.go.
 */
import { randomBytes } from 'node:crypto';
import { EngineError } from '../../protocol/errdefs.ts';
import {
  isMac,
  macFor,
  type Endpoint,
  type Endpoint6,
  type EndpointSettings,
} from '../libnetwork/endpoint.ts';
import { isPredefined, mtuOf, subnetOf, type Network } from '../libnetwork/network.ts';
import { contains6, numberOfAddress6, parseSubnet6 } from '../libnetwork/subnet6.ts';
import type { Daemon } from './daemon.ts';

const refuse = (sentence: string): never => {
  throw new EngineError('invalid_argument', sentence);
};

/** Taken, and not given: the network has no IPv6. */
const isInIdlePool = ({ idlePool6 }: Network, address: string): boolean => {
  const number = numberOfAddress6(address);
  return idlePool6 !== null && number !== null && contains6(parseSubnet6(idlePool6.Subnet), number);
};

export const checkSettings = (
  network: Network,
  { address, address6, aliases, mac }: EndpointSettings,
): void => {
  if (address !== '' && isPredefined(network)) {
    refuse('user specified IP address is supported on user defined networks only');
  }
  if (address !== '' && !network.isSubnetChosen) {
    refuse(
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    );
  }
  if (aliases.length > 0 && isPredefined(network)) {
    refuse('network-scoped alias is supported only for containers in user defined networks');
  }
  if (address6 && network.subnet6 === '' && !isInIdlePool(network, address6)) {
    refuse(`no configured subnet or ip-range contain the IP address ${address6}`);
  }
  if (mac !== '' && !isMac(mac)) refuse(`invalid MAC address: ${mac}`);
};

/** Of several networks the one with the highest priority leads out, or else the first by name. */
export const inOrder = (
  settings: readonly EndpointSettings[],
  endpoints: readonly Endpoint[],
): Endpoint[] => {
  const priority = ({ networkId, networkName }: Endpoint): number =>
    settings.find(({ network }) => network === networkName || networkId.startsWith(network))
      ?.gatewayPriority ?? 0;
  return [...endpoints].sort(
    (left, right) =>
      priority(right) - priority(left) || (left.networkName < right.networkName ? -1 : 1),
  );
};

/** eth0, eth1, …: the first that is free. */
const freeInterface = (endpoints: readonly Endpoint[]): string => {
  for (let i = 0; ; i += 1) {
    if (!endpoints.some(({ interfaceName }) => interfaceName === `eth${i}`)) return `eth${i}`;
  }
};

const lease6 = (
  { networks }: Daemon,
  network: Network,
  id: string,
  { address6 }: EndpointSettings,
): Endpoint6 | null => {
  if (network.subnet6 === '') return null;
  const address = networks.addresses6.lease(network, id, address6 ?? '');
  networks.teller.note('IPv6 address leased', 'step', __SOURCE__, {
    'engineroom.network.name': network.name,
    'engineroom.network.subnet': network.subnet6,
    'engineroom.network.address': address,
  });
  return {
    address,
    prefix: parseSubnet6(network.subnet6).prefix,
    gateway: network.isInternal ? '' : network.gateway6,
  };
};

/** Precondition: the network is a bridge. */
export const lease = (
  daemon: Daemon,
  network: Network,
  settings: EndpointSettings,
  others: readonly Endpoint[],
): Endpoint => {
  checkSettings(network, settings);
  const id = randomBytes(32).toString('hex');
  const { networks } = daemon;
  const address = networks.addresses.lease(network, id, settings.address);
  daemon.networks.teller.note('address leased', 'step', __SOURCE__, {
    'engineroom.network.name': network.name,
    'engineroom.network.subnet': network.subnet,
    'engineroom.network.address': address,
  });
  const ipv6 = lease6(daemon, network, id, settings);
  return {
    id,
    ...(ipv6 ? { ipv6 } : {}),
    networkId: network.id,
    networkName: network.name,
    bridge: network.bridge,
    address,
    ...(settings.linkLocal ? { linkLocal: settings.linkLocal } : {}),
    prefix: subnetOf(network).prefix,
    gateway: network.isInternal ? '' : network.gateway,
    mac: settings.mac === '' ? macFor(address) : settings.mac.toLowerCase(),
    mtu: mtuOf(network),
    aliases: settings.aliases,
    interfaceName: freeInterface(others),
    hostInterface: `veth${id.slice(0, 7)}`,
  };
};

export const release = (daemon: Daemon, { networkId, id, address, ipv6 }: Endpoint): void => {
  daemon.networks.addresses.release(networkId, id, address);
  if (ipv6) daemon.networks.addresses6.release(networkId, id, ipv6.address);
};

export const bridgeNamed = (daemon: Daemon, reference: string): Network => {
  const network = daemon.networks.store.find(reference);
  if (network.driver === 'bridge') return network;
  throw new EngineError(
    'invalid_argument',
    'container cannot be connected to multiple networks with one of the networks in private (none) mode',
  );
};
