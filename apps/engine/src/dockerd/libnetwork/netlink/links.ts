/**
 * Interfaces, addresses and routes by rtnetlink: what `ip link`, `ip address` and `ip route` send.
 * See rtnetlink(7), veth(4). Upstream: github.com/vishvananda/netlink.
 */
import {
  attribute,
  message,
  nested,
  NetlinkError,
  NLM_F,
  readAttributes,
  readText,
  text,
  u32,
  u8,
} from './message.ts';
import type { NetlinkSocket } from './socket.ts';
import { bytesOfAddress, textOfAddress, type Subnet } from '../subnet.ts';

const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  NEWADDR: 20,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
} as const;
const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  MASTER: 10,
  LINKINFO: 18,
  IFALIAS: 20,
  AF_SPEC: 26,
  NET_NS_FD: 28,
} as const;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const ADDR_GEN_MODE_NONE = 1;
const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
const VETH_INFO_PEER = 1;
const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4 } as const;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5 } as const;
const AF_UNSPEC = 0;
const AF_INET = 2;
const AF_INET6 = 10;
const IFF_UP = 1;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RTN_UNICAST = 1;
const IFINFOMSG_BYTES = 16;
const RTMSG_BYTES = 12;

/** struct ifinfomsg. */
const ifinfomsg = (index: number, isUp: boolean): Buffer => {
  const bytes = Buffer.alloc(IFINFOMSG_BYTES);
  bytes.writeUInt8(AF_UNSPEC, 0);
  bytes.writeInt32LE(index, 4);
  if (isUp) {
    bytes.writeUInt32LE(IFF_UP, 8);
    bytes.writeUInt32LE(IFF_UP, 12);
  }
  return bytes;
};

export interface Link {
  readonly index: number;
  readonly name: string;
  /** A remark that can be read with `ip link`: it says whose interface it is. */
  readonly alias: string;
  readonly kind: string;
  readonly master: number;
}

const linkOf = (payload: Buffer): Link => {
  const attributes = readAttributes(payload.subarray(IFINFOMSG_BYTES));
  const info = attributes.get(IFLA.LINKINFO);
  return {
    index: payload.readInt32LE(4),
    name: readText(attributes.get(IFLA.IFNAME)),
    alias: readText(attributes.get(IFLA.IFALIAS)),
    kind: info ? readText(readAttributes(info).get(IFLA_INFO.KIND)) : '',
    master: attributes.get(IFLA.MASTER)?.readUInt32LE(0) ?? 0,
  };
};

export const listLinks = (socket: NetlinkSocket): Link[] =>
  socket
    .ask('list interfaces', message(RTM.GETLINK, NLM_F.DUMP, ifinfomsg(0, false)))
    .filter(({ type }) => type === RTM.NEWLINK)
    .map(({ payload }) => linkOf(payload));

export const findLink = (socket: NetlinkSocket, name: string): Link | null => {
  try {
    const [answer] = socket.ask(
      `find interface ${name}`,
      message(RTM.GETLINK, 0, ifinfomsg(0, false), attribute(IFLA.IFNAME, text(name))),
    );
    return answer ? linkOf(answer.payload) : null;
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ENODEV') return null;
    throw error;
  }
};

/**
 * A switch in software, with an address of its own: one that it took from its ports would change as they come and go.
 * EEXIST when there is an interface of that name.
 */
export const addBridge = (
  socket: NetlinkSocket,
  { name, mac, mtu }: { readonly name: string; readonly mac: Buffer; readonly mtu: number },
): void => {
  socket.ask(
    `create bridge ${name}`,
    message(
      RTM.NEWLINK,
      NLM_F.ACK | NLM_F.CREATE | NLM_F.EXCL,
      ifinfomsg(0, false),
      attribute(IFLA.IFNAME, text(name)),
      attribute(IFLA.ADDRESS, mac),
      attribute(IFLA.MTU, u32(mtu)),
      nested(IFLA.LINKINFO, attribute(IFLA_INFO.KIND, Buffer.from('bridge'))),
    ),
  );
};

/** The kernel takes a remark only for an interface that is there. */
export const setAlias = (socket: NetlinkSocket, index: number, alias: string): void => {
  socket.ask(
    'mark interface',
    message(RTM.NEWLINK, NLM_F.ACK, ifinfomsg(index, false), attribute(IFLA.IFALIAS, text(alias))),
  );
};

/** Up; and where the network has no IPv6, without the address of that kind that the kernel would make up. */
export const setUp = (socket: NetlinkSocket, index: number, hasIpv6 = false): void => {
  const noAddress = attribute(IFLA_INET6_ADDR_GEN_MODE, u8(ADDR_GEN_MODE_NONE));
  const settle = (...attributes: readonly Buffer[]): void => {
    socket.ask(
      'set interface up',
      message(RTM.NEWLINK, NLM_F.ACK, ifinfomsg(index, true), ...attributes),
    );
  };
  if (hasIpv6) {
    settle();
    return;
  }
  try {
    settle(nested(IFLA.AF_SPEC, nested(AF_INET6, noAddress)));
  } catch (error) {
    // A kernel without IPv6 knows no such attribute.
    if (!(error instanceof NetlinkError) || error.code !== 'EAFNOSUPPORT') throw error;
    settle();
  }
};

export const deleteLink = (socket: NetlinkSocket, index: number): void => {
  socket.ask('delete interface', message(RTM.DELLINK, NLM_F.ACK, ifinfomsg(index, false)));
};

export interface VethPair {
  /** Our end, plugged into the bridge. */
  readonly name: string;
  readonly bridge: number;
  /** The container's end: it is born in that namespace, so that no end can be left lying about. */
  readonly peerName: string;
  readonly peerNamespace: number;
  readonly peerMac: Buffer;
  readonly mtu: number;
}

/** A virtual cable with an end in each namespace, in one message. Ours is up; a peer cannot be before it has its partner. */
export const addVethPair = (socket: NetlinkSocket, pair: VethPair): void => {
  const peer = [
    ifinfomsg(0, false),
    attribute(IFLA.IFNAME, text(pair.peerName)),
    attribute(IFLA.ADDRESS, pair.peerMac),
    attribute(IFLA.MTU, u32(pair.mtu)),
    attribute(IFLA.NET_NS_FD, u32(pair.peerNamespace)),
  ];
  socket.ask(
    `create veth pair ${pair.name}`,
    message(
      RTM.NEWLINK,
      NLM_F.ACK | NLM_F.CREATE | NLM_F.EXCL,
      ifinfomsg(0, true),
      attribute(IFLA.IFNAME, text(pair.name)),
      attribute(IFLA.MTU, u32(pair.mtu)),
      attribute(IFLA.MASTER, u32(pair.bridge)),
      nested(
        IFLA.LINKINFO,
        attribute(IFLA_INFO.KIND, Buffer.from('veth')),
        nested(IFLA_INFO.DATA, nested(VETH_INFO_PEER, ...peer)),
      ),
    ),
  );
};

/** struct ifaddrmsg and its attributes; the kernel adds the route to the subnet by itself. */
export const addAddress = (
  socket: NetlinkSocket,
  index: number,
  address: number,
  subnet: Subnet,
): void => {
  const header = Buffer.alloc(8);
  header.writeUInt8(AF_INET, 0);
  header.writeUInt8(subnet.prefix, 1);
  header.writeUInt32LE(index, 4);
  socket.ask(
    `give address ${textOfAddress(address)}`,
    message(
      RTM.NEWADDR,
      NLM_F.ACK | NLM_F.CREATE | NLM_F.EXCL,
      header,
      attribute(IFA.LOCAL, bytesOfAddress(address)),
      attribute(IFA.ADDRESS, bytesOfAddress(address)),
      attribute(IFA.BROADCAST, bytesOfAddress(subnet.last)),
    ),
  );
};

/** struct rtmsg: everything that is not in a subnet of its own goes to the gateway. */
export const addDefaultRoute = (socket: NetlinkSocket, index: number, gateway: number): void => {
  const header = Buffer.alloc(RTMSG_BYTES);
  header.writeUInt8(AF_INET, 0);
  header.writeUInt8(RT_TABLE_MAIN, 4);
  header.writeUInt8(RTPROT_BOOT, 5);
  header.writeUInt8(RT_SCOPE_UNIVERSE, 6);
  header.writeUInt8(RTN_UNICAST, 7);
  socket.ask(
    `route to ${textOfAddress(gateway)}`,
    message(
      RTM.NEWROUTE,
      NLM_F.ACK | NLM_F.CREATE | NLM_F.EXCL,
      header,
      attribute(RTA.GATEWAY, bytesOfAddress(gateway)),
      attribute(RTA.OIF, u32(index)),
    ),
  );
};

export const removeDefaultRoute = (socket: NetlinkSocket): void => {
  const header = Buffer.alloc(RTMSG_BYTES);
  header.writeUInt8(AF_INET, 0);
  header.writeUInt8(RT_TABLE_MAIN, 4);
  header.writeUInt8(RT_SCOPE_UNIVERSE, 6);
  socket.ask('remove the default route', message(RTM.DELROUTE, NLM_F.ACK, header));
};

export interface Route {
  readonly subnet: Subnet;
  readonly interfaceIndex: number;
}

/** Every IPv4 route but the default one: the subnets that are taken on this machine. */
export const listRoutes = (socket: NetlinkSocket): Route[] => {
  const header = Buffer.alloc(RTMSG_BYTES);
  header.writeUInt8(AF_INET, 0);
  return socket
    .ask('list routes', message(RTM.GETROUTE, NLM_F.DUMP, header))
    .filter(({ type }) => type === RTM.NEWROUTE)
    .flatMap(({ payload }) => {
      const prefix = payload.readUInt8(1);
      const attributes = readAttributes(payload.subarray(RTMSG_BYTES));
      const destination = attributes.get(RTA.DST);
      if (!destination || payload.readUInt8(0) !== AF_INET) return [];
      const first = destination.readUInt32BE(0);
      const last = first + 2 ** (32 - prefix) - 1;
      return [
        {
          subnet: { first, last, prefix },
          interfaceIndex: attributes.get(RTA.OIF)?.readUInt32LE(0) ?? 0,
        },
      ];
    });
};
