/**
 * The bridge driver on the host's side: a switch in software for each network, with the gateway's address on it.
 * Whose a bridge is stands in its alias, so that whoever finds one after a crash knows.
 * Upstream: moby daemon/libnetwork/drivers/bridge.
 */
import { randomBytes } from 'node:crypto';
import { EngineError } from '../../protocol/errdefs.ts';
import { mtuOf, subnetOf, type Network } from './network.ts';
import {
  addAddress,
  addBridge,
  deleteLink,
  findLink,
  listLinks,
  listRoutes,
  setAlias,
  setUp,
} from './netlink/links.ts';
import { addAddress6 } from './netlink/links6.ts';
import { NetlinkError } from './netlink/message.ts';
import type { NetlinkSocket } from './netlink/socket.ts';
import { numberOfAddress, overlaps, type Subnet } from './subnet.ts';
import { numberOfAddress6, parseSubnet6 } from './subnet6.ts';

/** fe80::1 */
const LINK_LOCAL_GATEWAY = (0xfe80n << 112n) | 1n;
const LINK_LOCAL_PREFIX = 64;

/** The first byte says: not from a manufacturer. */
export const randomMac = (): Buffer => Buffer.from([0x02, 0x42, ...randomBytes(4)]);

/** Subnets that interfaces and routes of this machine use; `except` is a bridge of our own. */
export const takenSubnets = (socket: NetlinkSocket, except = ''): Subnet[] => {
  const own = except === '' ? null : findLink(socket, except);
  return listRoutes(socket)
    .filter(({ interfaceIndex }) => interfaceIndex !== own?.index)
    .map(({ subnet }) => subnet);
};

/** Makes the bridge, or finds it as it was left. Answers its index. */
export const ensureBridge = (socket: NetlinkSocket, network: Network, owner: string): number => {
  const found = findLink(socket, network.bridge);
  if (found?.alias === owner) return found.index;
  if (found) {
    throw new EngineError(
      'forbidden',
      `the interface ${network.bridge} exists and is not of this engine`,
    );
  }
  if (takenSubnets(socket).some((other) => overlaps(other, subnetOf(network)))) {
    throw new EngineError('forbidden', 'Pool overlaps with other one on this address space');
  }
  addBridge(socket, { name: network.bridge, mac: randomMac(), mtu: mtuOf(network) });
  const index = findLink(socket, network.bridge)?.index ?? 0;
  try {
    setAlias(socket, index, owner);
    addAddress(socket, index, numberOfAddress(network.gateway) ?? 0, subnetOf(network));
    setUp(socket, index, network.subnet6 !== '');
    if (network.subnet6 !== '') addAddresses6(socket, index, network);
  } catch (error) {
    deleteLink(socket, index);
    throw error;
  }
  return index;
};

/** To one that is there already, maybe from a time when it had IPv6 before. Without it: nothing to do. */
export const giveIpv6 = (socket: NetlinkSocket, index: number, network: Network): void => {
  if (network.subnet6 === '') return;
  setUp(socket, index, true);
  try {
    addAddresses6(socket, index, network);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === 'EEXIST')) throw error;
  }
};

/** The gateway's, and one on the link itself: with it the bridge looks for its neighbours. */
const addAddresses6 = (socket: NetlinkSocket, index: number, network: Network): void => {
  const gateway = numberOfAddress6(network.gateway6) ?? 0n;
  addAddress6(socket, index, gateway, parseSubnet6(network.subnet6).prefix);
  addAddress6(socket, index, LINK_LOCAL_GATEWAY, LINK_LOCAL_PREFIX);
};

export const removeBridge = (socket: NetlinkSocket, name: string, owner: string): void => {
  const found = findLink(socket, name);
  if (found?.alias === owner) deleteLink(socket, found.index);
};

/** Bridges of this engine that no network stands for: somebody was killed between two steps. */
export const removeOrphans = (
  socket: NetlinkSocket,
  owner: string,
  isKnown: (name: string) => boolean,
): void => {
  for (const { index, name, alias, kind } of listLinks(socket)) {
    if (kind === 'bridge' && alias === owner && !isKnown(name)) deleteLink(socket, index);
  }
};

/** A name for the bridge of the default network that nobody on this machine has. */
export const freeBridgeName = (socket: NetlinkSocket, stem: string): string => {
  const names = new Set(listLinks(socket).map(({ name }) => name));
  for (let i = 0; ; i += 1) {
    if (!names.has(`${stem}${i}`)) return `${stem}${i}`;
  }
};
