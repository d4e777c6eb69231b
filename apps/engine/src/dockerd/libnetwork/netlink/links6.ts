/**
 * IPv6 addresses and routes by rtnetlink: what `ip -6 address` and `ip -6 route` send.
 * See rtnetlink(7), ipv6(7). Upstream: github.com/vishvananda/netlink.
 */
import { attribute, message, NLM_F, readAttributes, u32 } from './message.ts';
import type { NetlinkSocket } from './socket.ts';
import { bytesOfAddress6, subnetAt6, textOfAddress6, type Subnet6 } from '../subnet6.ts';

const RTM = { NEWADDR: 20, NEWROUTE: 24, DELROUTE: 25, GETROUTE: 26 } as const;
const IFA_ADDRESS = 1;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5 } as const;
const AF_INET6 = 10;
/** Nobody else is asked whether he has it: the address is ours to give. */
const IFA_F_NODAD = 2;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RTN_UNICAST = 1;
const RTMSG_BYTES = 12;

/** struct ifaddrmsg; the kernel adds the route to the subnet by itself. */
export const addAddress6 = (
  socket: NetlinkSocket,
  index: number,
  address: bigint,
  prefix: number,
): void => {
  const header = Buffer.alloc(8);
  header.writeUInt8(AF_INET6, 0);
  header.writeUInt8(prefix, 1);
  header.writeUInt8(IFA_F_NODAD, 2);
  header.writeUInt32LE(index, 4);
  socket.ask(
    `give address ${textOfAddress6(address)}`,
    message(
      RTM.NEWADDR,
      NLM_F.ACK | NLM_F.CREATE | NLM_F.EXCL,
      header,
      attribute(IFA_ADDRESS, bytesOfAddress6(address)),
    ),
  );
};

/** struct rtmsg. */
const defaultRoute = (): Buffer => {
  const header = Buffer.alloc(RTMSG_BYTES);
  header.writeUInt8(AF_INET6, 0);
  header.writeUInt8(RT_TABLE_MAIN, 4);
  header.writeUInt8(RTPROT_BOOT, 5);
  header.writeUInt8(RTN_UNICAST, 7);
  return header;
};

export const addDefaultRoute6 = (socket: NetlinkSocket, index: number, gateway: bigint): void => {
  socket.ask(
    `route to ${textOfAddress6(gateway)}`,
    message(
      RTM.NEWROUTE,
      NLM_F.ACK | NLM_F.CREATE | NLM_F.EXCL,
      defaultRoute(),
      attribute(RTA.GATEWAY, bytesOfAddress6(gateway)),
      attribute(RTA.OIF, u32(index)),
    ),
  );
};

export const removeDefaultRoute6 = (socket: NetlinkSocket): void => {
  socket.ask('remove the default route', message(RTM.DELROUTE, NLM_F.ACK, defaultRoute()));
};

const LINK_LOCAL = subnetAt6(0xfe80n << 112n, 10);
const MULTICAST = subnetAt6(0xffn << 120n, 8);

/** Every IPv6 subnet that is taken on this machine; those that each interface has are nobody's. */
export const listRoutes6 = (socket: NetlinkSocket): Subnet6[] => {
  const header = Buffer.alloc(RTMSG_BYTES);
  header.writeUInt8(AF_INET6, 0);
  return socket
    .ask('list routes', message(RTM.GETROUTE, NLM_F.DUMP, header))
    .filter(({ type, payload }) => type === RTM.NEWROUTE && payload.readUInt8(0) === AF_INET6)
    .flatMap(({ payload }) => {
      const destination = readAttributes(payload.subarray(RTMSG_BYTES)).get(RTA.DST);
      if (!destination) return [];
      const first = BigInt(`0x${destination.toString('hex')}`);
      const isEverywhere = [LINK_LOCAL, MULTICAST].some(
        (range) => first >= range.first && first <= range.last,
      );
      return isEverywhere ? [] : [subnetAt6(first, payload.readUInt8(1))];
    });
};
