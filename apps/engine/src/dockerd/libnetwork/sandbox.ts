/**
 * A container's network namespace, furnished from outside: dockerd opens a netlink socket in it and never goes in.
 * The container's first process is there already and waits in front of its program.
 * Upstream: moby daemon/libnetwork/osl/{namespace,interface}_linux.go.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import { bytesOfMac, type Endpoint } from './endpoint.ts';
import {
  addAddress,
  addDefaultRoute,
  addVethPair,
  deleteLink,
  findLink,
  removeDefaultRoute,
  setUp,
} from './netlink/links.ts';
import { addAddress6, addDefaultRoute6, removeDefaultRoute6 } from './netlink/links6.ts';
import {
  NETLINK_ROUTE,
  NetlinkSocket,
  withNamespace,
  type NetlinkNative,
} from './netlink/socket.ts';
import { numberOfAddress, subnetAt } from './subnet.ts';
import { numberOfAddress6 } from './subnet6.ts';
import type { Teller } from './teller.ts';

export const namespacePath = (pid: number): string => `/proc/${pid}/ns/net`;

interface Host {
  readonly native: NetlinkNative;
  readonly route: NetlinkSocket;
  readonly teller: Teller;
}

const inside = <T>(native: NetlinkNative, pid: number, work: (socket: NetlinkSocket) => T): T =>
  withNamespace(namespacePath(pid), (namespace) => {
    const socket = new NetlinkSocket(native, NETLINK_ROUTE, namespace);
    try {
      return work(socket);
    } finally {
      socket.close();
    }
  });

const linkIndex = (socket: NetlinkSocket, name: string): number => {
  const link = findLink(socket, name);
  if (!link) throw new EngineError('internal', `there is no interface ${name}`);
  return link.index;
};

/** A cable from the bridge into the container, an address on its end, and the way out. */
export const plugIn = (
  { native, route, teller }: Host,
  { pid, endpoint, isWayOut }: { pid: number; endpoint: Endpoint; isWayOut: boolean },
): void => {
  const { interfaceName, hostInterface, bridge, address, prefix, mtu } = endpoint;
  const facts = teller.factsOf(endpoint);
  teller.call(
    {
      title: `a virtual cable is born: ${hostInterface} in the bridge ${bridge}, ${interfaceName} in the container`,
      detail: `RTM_NEWLINK {veth, "${hostInterface}", master="${bridge}", peer={"${interfaceName}", netns=/proc/${pid}/ns/net}}`,
      level: 'step',
      reference: 'man:veth(4)',
      source: __SOURCE__,
      attributes: facts,
    },
    () =>
      withNamespace(namespacePath(pid), (peerNamespace) =>
        addVethPair(route, {
          name: hostInterface,
          bridge: linkIndex(route, bridge),
          peerName: interfaceName,
          peerNamespace,
          peerMac: bytesOfMac(endpoint.mac),
          mtu,
        }),
      ),
  );
  inside(native, pid, (socket) => {
    const index = linkIndex(socket, interfaceName);
    teller.call(
      {
        title: `${interfaceName} goes up`,
        detail: `RTM_NEWLINK {"${interfaceName}", IFF_UP}`,
        level: 'detail',
        reference: 'man:rtnetlink(7)',
        source: __SOURCE__,
        attributes: facts,
      },
      () => setUp(socket, index, endpoint.ipv6 !== undefined),
    );
    teller.call(
      {
        title: `${interfaceName} gets its address ${address}/${prefix}`,
        detail: `RTM_NEWADDR {"${interfaceName}", ${address}/${prefix}}`,
        level: 'step',
        reference: 'man:rtnetlink(7)',
        source: __SOURCE__,
        attributes: { ...facts, 'engineroom.network.address': `${address}/${prefix}` },
      },
      () => {
        const number = numberOfAddress(address) ?? 0;
        addAddress(socket, index, number, subnetAt(number, prefix));
      },
    );
    for (const own of endpoint.linkLocal ?? []) giveLinkLocal(socket, own, index);
    if (endpoint.ipv6) giveAddress6(teller, socket, endpoint, index);
    if (isWayOut) routeOut(teller, socket, endpoint, index);
  });
};

const giveLinkLocal = (socket: NetlinkSocket, address: string, index: number): void => {
  const number = numberOfAddress(address);
  if (number !== null) addAddress(socket, index, number, subnetAt(number, 16));
  else addAddress6(socket, index, numberOfAddress6(address) ?? 0n, 64);
};

const giveAddress6 = (
  teller: Teller,
  socket: NetlinkSocket,
  endpoint: Endpoint,
  index: number,
): void => {
  const { interfaceName, ipv6 } = endpoint;
  if (!ipv6) return;
  const whole = `${ipv6.address}/${ipv6.prefix}`;
  teller.call(
    {
      title: `${interfaceName} gets its IPv6 address ${whole}`,
      detail: `RTM_NEWADDR {"${interfaceName}", ${whole}}`,
      level: 'step',
      reference: 'man:rtnetlink(7)',
      source: __SOURCE__,
      attributes: { ...teller.factsOf(endpoint), 'engineroom.network.address': whole },
    },
    () => addAddress6(socket, index, numberOfAddress6(ipv6.address) ?? 0n, ipv6.prefix),
  );
};

const routeOut = (
  teller: Teller,
  socket: NetlinkSocket,
  endpoint: Endpoint,
  index: number,
): void => {
  const { interfaceName, gateway, ipv6 } = endpoint;
  const tell = (through: string, add: () => void): void =>
    teller.call(
      {
        title: `whatever is not near goes to the gateway ${through}`,
        detail: `RTM_NEWROUTE {default, via ${through}, dev "${interfaceName}"}`,
        level: 'detail',
        reference: 'man:rtnetlink(7)',
        source: __SOURCE__,
        attributes: teller.factsOf(endpoint),
      },
      add,
    );
  if (gateway !== '') {
    tell(gateway, () => addDefaultRoute(socket, index, numberOfAddress(gateway) ?? 0));
  }
  if (ipv6 && ipv6.gateway !== '') {
    tell(ipv6.gateway, () => addDefaultRoute6(socket, index, numberOfAddress6(ipv6.gateway) ?? 0n));
  }
};

/** Either end takes the other with it. */
export const unplug = ({ route, teller }: Host, endpoint: Endpoint): void => {
  const link = findLink(route, endpoint.hostInterface);
  if (!link) return;
  teller.call(
    {
      title: `the cable ${endpoint.hostInterface} is taken away`,
      detail: `RTM_DELLINK {"${endpoint.hostInterface}"}`,
      level: 'step',
      reference: 'man:rtnetlink(7)',
      source: __SOURCE__,
      attributes: teller.factsOf(endpoint),
    },
    () => deleteLink(route, link.index),
  );
};

/** The way out leads through another network from now on, or through none. */
export const changeWayOut = (
  { native, teller }: Host,
  { pid, from, to }: { pid: number; from: Endpoint | null; to: Endpoint | null },
): void => {
  if (from?.id === to?.id) return;
  inside(native, pid, (socket) => {
    if (from && findLink(socket, from.interfaceName)) {
      if (from.gateway !== '') removeDefaultRoute(socket);
      if (from.ipv6 && from.ipv6.gateway !== '') removeDefaultRoute6(socket);
    }
    if (to) routeOut(teller, socket, to, linkIndex(socket, to.interfaceName));
  });
};
