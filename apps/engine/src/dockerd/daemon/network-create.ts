/** `docker network create`: what was asked → a network, or Docker's words why not. Upstream: moby daemon/network.go. */
import type { NetworkCreateBody } from '../../protocol/docker-engine-api/networks.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import type { NetworkController } from '../libnetwork/controller.ts';
import { newNetwork } from '../libnetwork/network-store.ts';
import { OPTION, type Network } from '../libnetwork/network.ts';
import {
  contains,
  numberOfAddress,
  overlaps,
  parseSubnet,
  textOfAddress,
  textOfSubnet,
  type Subnet,
} from '../libnetwork/subnet.ts';
import {
  contains6,
  numberOfAddress6,
  overlaps6,
  parseSubnet6,
  textOfAddress6,
  textOfSubnet6,
  type Subnet6,
} from '../libnetwork/subnet6.ts';

/** What is left of 15 characters for the bridge's name: `br-` is Docker's. */
const BRIDGE_PREFIX = 'er-';
const BRIDGE_ID = 12;
const INTERFACE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/;
const KNOWN_OPTIONS: readonly string[] = Object.values(OPTION);
const LEAST_PREFIX = 8;
const MOST_PREFIX = 30;
const MOST_PREFIX_6 = 126;
const LEAST_MTU = 68;
const MOST_MTU = 65535;

const refuse = (sentence: string): never => {
  throw new EngineError('invalid_argument', sentence);
};

const checkDriver = (driver: string): void => {
  if (driver === 'host' || driver === 'null') {
    throw new EngineError('forbidden', `only one instance of "${driver}" network is allowed`);
  }
  if (driver === 'overlay') {
    throw new EngineError(
      'forbidden',
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    );
  }
  if (!['', 'default', 'bridge'].includes(driver)) {
    throw new EngineError(
      'not_found',
      `could not find plugin ${driver} in v1 plugin registry: plugin not found`,
    );
  }
};

const checkOptions = (options: NetworkCreateBody['Options']): void => {
  for (const [key, value] of Object.entries(options)) {
    if (!KNOWN_OPTIONS.includes(key)) {
      refuse(`the network option "${key}" is not supported by this daemon yet`);
    }
    const isFlag = key === OPTION.icc || key === OPTION.masquerade;
    if (isFlag && !['true', 'false'].includes(value)) {
      refuse(`failed to parse ${key} value: "${value}" (use true or false)`);
    }
    const number = Number(value);
    if (key === OPTION.mtu && !(number >= LEAST_MTU && number <= MOST_MTU)) {
      refuse(`failed to parse ${key} value: "${value}"`);
    }
    if (key === OPTION.name && !INTERFACE_NAME.test(value)) {
      refuse(`invalid interface name: "${value}"`);
    }
    if (key === OPTION.hostBinding && numberOfAddress(value) === null) {
      refuse(`failed to parse ${key} value: "${value}"`);
    }
  }
};

const inSubnet = (subnet: Subnet, what: string, address: string): string => {
  const number = numberOfAddress(address);
  if (number === null) return refuse(`invalid ${what} address: ${address}`);
  if (!contains(subnet, number)) refuse(`no matching subnet for ${what} ${address}`);
  return address;
};

type Pool = NetworkCreateBody['IPAM']['Config'][number];

const isPool6 = ({ Subnet }: Pool): boolean => Subnet.includes(':');

const inSubnet6 = (subnet: Subnet6, what: string, address: string): string => {
  const number = numberOfAddress6(address);
  if (number === null) return refuse(`invalid ${what} address: ${address}`);
  if (!contains6(subnet, number)) refuse(`no matching subnet for ${what} ${address}`);
  return textOfAddress6(number);
};

/** None, unless they are asked for; then those that were named, or a subnet of the engine's own. */
const addresses6Of = (
  controller: NetworkController,
  { EnableIPv6, IPAM }: NetworkCreateBody,
): Pick<
  Network,
  'subnet6' | 'gateway6' | 'ipRange6' | 'idlePool6' | 'auxiliary' | 'isSubnet6Chosen'
> => {
  const given = IPAM.Config.filter(isPool6);
  // Docker keeps a subnet of a kind that was not asked for, and passes over it.
  if (EnableIPv6 !== true) {
    const [idle] = given;
    return {
      ...{ subnet6: '', gateway6: '', ipRange6: '', auxiliary: {}, isSubnet6Chosen: false },
      idlePool6: idle
        ? { Subnet: idle.Subnet, IPRange: idle.IPRange, Gateway: idle.Gateway }
        : null,
    };
  }
  if (given.length > 1) {
    refuse('more than one subnet for a network is not supported by this daemon yet');
  }
  const [pool] = given;
  const subnet = pool ? parseSubnet6(pool.Subnet) : controller.host.freeSubnet6();
  if (subnet.prefix > MOST_PREFIX_6) {
    refuse(`invalid subnet ${textOfSubnet6(subnet)}: a bridge wants a prefix of at most 126`);
  }
  if (pool && controller.host.takenSubnets6().some((other) => overlaps6(other, subnet))) {
    throw new EngineError(
      'forbidden',
      'invalid pool request: Pool overlaps with other one on this address space',
    );
  }
  const range = pool && pool.IPRange !== '' ? parseSubnet6(pool.IPRange) : null;
  if (range && !(contains6(subnet, range.first) && contains6(subnet, range.last))) {
    refuse(`no matching subnet for range ${pool?.IPRange ?? ''}`);
  }
  const auxiliary = Object.fromEntries(
    Object.entries(pool?.AuxiliaryAddresses ?? {}).map(([name, address]) => [
      name,
      inSubnet6(subnet, 'aux-address', address),
    ]),
  );
  return {
    subnet6: textOfSubnet6(subnet),
    ipRange6: range ? textOfSubnet6(range) : '',
    idlePool6: null,
    gateway6: pool?.Gateway
      ? inSubnet6(subnet, 'gateway', pool.Gateway)
      : textOfAddress6(subnet.first + 1n),
    auxiliary,
    isSubnet6Chosen: pool !== undefined,
  };
};

/** The addresses: those that were asked for, or a pool that is free on this machine. */
const addressesOf = (
  controller: NetworkController,
  config: NetworkCreateBody['IPAM']['Config'],
): Pick<Network, 'subnet' | 'gateway' | 'ipRange' | 'auxiliary' | 'isSubnetChosen'> => {
  const given = config
    .filter((each) => !isPool6(each))
    .filter(({ Subnet, Gateway, IPRange }) => Subnet || Gateway || IPRange);
  if (given.length > 1) {
    refuse('more than one subnet for a network is not supported by this daemon yet');
  }
  const [pool] = given;
  if (pool && pool.Subnet === '') refuse('no matching subnet for gateway or range');
  const subnet = pool ? parseSubnet(pool.Subnet) : controller.host.freeSubnet();
  if (subnet.prefix < LEAST_PREFIX || subnet.prefix > MOST_PREFIX) {
    refuse(`invalid subnet ${textOfSubnet(subnet)}: a bridge wants a prefix from 8 to 30`);
  }
  if (pool && controller.host.takenSubnets().some((other) => overlaps(other, subnet))) {
    throw new EngineError(
      'forbidden',
      'invalid pool request: Pool overlaps with other one on this address space',
    );
  }
  const range = pool && pool.IPRange !== '' ? parseSubnet(pool.IPRange) : null;
  if (range && !(contains(subnet, range.first) && contains(subnet, range.last))) {
    refuse(`no matching subnet for range ${pool?.IPRange ?? ''}`);
  }
  const auxiliary = pool?.AuxiliaryAddresses ?? {};
  for (const address of Object.values(auxiliary)) inSubnet(subnet, 'aux-address', address);
  return {
    subnet: textOfSubnet(subnet),
    gateway: pool?.Gateway
      ? inSubnet(subnet, 'gateway', pool.Gateway)
      : textOfAddress((range ?? subnet).first + 1),
    ipRange: range ? textOfSubnet(range) : '',
    auxiliary,
    isSubnetChosen: pool !== undefined,
  };
};

/** Precondition: nobody has the name. */
export const newBridge = (controller: NetworkController, body: NetworkCreateBody): Network => {
  if (body.Name.trim() === '') refuse('invalid network name: name is empty');
  checkDriver(body.Driver);
  if (body.EnableIPv4 === false) refuse('networks without IPv4 are not supported by this daemon');
  if (body.Ingress) refuse('ingress networks are for swarm, which this daemon does not have');
  if (body.ConfigOnly) refuse('config-only networks are not supported by this daemon yet');
  if (!['', 'default'].includes(body.IPAM.Driver)) {
    refuse(`invalid ipam driver: "${body.IPAM.Driver}"`);
  }
  checkOptions(body.Options);
  if (controller.host.lack !== null) {
    throw new EngineError('unavailable', `this machine has no bridges: ${controller.host.lack}`);
  }
  const ipv4 = addressesOf(controller, body.IPAM.Config);
  const ipv6 = addresses6Of(controller, body);
  const network = newNetwork({
    name: body.Name,
    driver: 'bridge',
    ...ipv4,
    ...ipv6,
    auxiliary: { ...ipv4.auxiliary, ...ipv6.auxiliary },
    isInternal: body.Internal,
    isAttachable: body.Attachable,
    labels: body.Labels,
    options: body.Options,
  });
  const bridge = body.Options[OPTION.name] ?? `${BRIDGE_PREFIX}${network.id.slice(0, BRIDGE_ID)}`;
  if (controller.host.bridges().some((other) => other.bridge === bridge)) {
    throw new EngineError('conflict', `networks have same bridge name: ${bridge}`);
  }
  return { ...network, bridge };
};
