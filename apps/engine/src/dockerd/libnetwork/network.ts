/** One network as it is written to disk. Upstream: moby daemon/libnetwork/network.go. */
import * as z from 'zod';
import { contains, numberOfAddress, parseSubnet, type Subnet } from './subnet.ts';

export const NetworkNote = z.object({
  id: z.string(),
  name: z.string(),
  created: z.string(),
  driver: z.enum(['bridge', 'host', 'null']),
  /** The interface of the host; empty where there is none. */
  bridge: z.string(),
  /** Empty for `host` and `none`, which have no addresses. */
  subnet: z.string(),
  gateway: z.string(),
  /** Empty where the network has no IPv6; notes of an older engine do not say. */
  subnet6: z.string().default(''),
  gateway6: z.string().default(''),
  isSubnet6Chosen: z.boolean().default(false),
  /** The part of the subnet that addresses are given from; empty for all of it. */
  ipRange: z.string(),
  ipRange6: z.string().default(''),
  /** A pool for IPv6 that was named without asking for IPv6: shown, and not used. */
  idlePool6: z
    .object({ Subnet: z.string(), IPRange: z.string(), Gateway: z.string() })
    .nullable()
    .default(null),
  /** The user chose the subnet; only there may a container choose its address. */
  isSubnetChosen: z.boolean(),
  /** Addresses that somebody else has, by their names. */
  auxiliary: z.record(z.string(), z.string()),
  isInternal: z.boolean(),
  isAttachable: z.boolean(),
  labels: z.record(z.string(), z.string()),
  options: z.record(z.string(), z.string()),
});
export type Network = Readonly<z.output<typeof NetworkNote>>;

/** The three that are always there, under the names that everybody knows. */
export const PREDEFINED = ['bridge', 'host', 'none'];
export const isPredefined = ({ name }: Network): boolean => PREDEFINED.includes(name);

export const OPTION = {
  name: 'com.docker.network.bridge.name',
  icc: 'com.docker.network.bridge.enable_icc',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  mtu: 'com.docker.network.driver.mtu',
} as const;

const DEFAULT_MTU = 1500;

export const mtuOf = ({ options }: Network): number => Number(options[OPTION.mtu]) || DEFAULT_MTU;
/** Whether containers of the network may speak to one another. */
export const hasIcc = ({ options }: Network): boolean => options[OPTION.icc] !== 'false';
export const isMasqueraded = ({ isInternal, options }: Network): boolean =>
  !isInternal && options[OPTION.masquerade] !== 'false';

export const subnetOf = (network: Network): Subnet => parseSubnet(network.subnet);

/** Addresses that no container gets unasked: the network's own, broadcast, gateway, and those of others. */
export const isReserved = (network: Network, address: number): boolean => {
  const { first, last } = subnetOf(network);
  return (
    address === first ||
    address === last ||
    address === numberOfAddress(network.gateway) ||
    Object.values(network.auxiliary).some((other) => numberOfAddress(other) === address)
  );
};

export const isInside = (network: Network, address: number): boolean =>
  contains(subnetOf(network), address);
