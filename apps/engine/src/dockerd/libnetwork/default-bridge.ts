/**
 * The network `bridge`, which a container is on when nobody says otherwise. It is there from the first start on, under one
 * id; only its subnets may change from one start to the next.
 * Upstream: moby daemon/daemon_unix.go (initBridgeDriver).
 */
import { ensureBridge, freeBridgeName, giveIpv6 } from './bridge.ts';
import type { NetlinkSocket } from './netlink/socket.ts';
import type { Network } from './network.ts';
import { newNetwork, type NetworkStore } from './network-store.ts';
import { textOfAddress, textOfSubnet, type Subnet } from './subnet.ts';
import { parseSubnet6, textOfAddress6, textOfSubnet6, type Subnet6 } from './subnet6.ts';

const BRIDGE_NAME = 'engine-room';

interface DefaultBridge {
  readonly store: NetworkStore;
  /** null: no IPv6. Empty: in a subnet of our choice. Else in this one. */
  readonly ipv6: string | null;
  readonly freeSubnet: () => Subnet;
  readonly freeSubnet6: () => Subnet6;
}

export const ensureDefaultBridge = async (
  route: NetlinkSocket,
  owner: string,
  wanted: DefaultBridge,
): Promise<void> => {
  const { store } = wanted;
  const stored = store.byName('bridge');
  const ipv6 = ipv6Of(wanted, stored);
  const kept = stored && { ...stored, ...ipv6 };
  if (kept) {
    try {
      const index = ensureBridge(route, kept, owner);
      if (kept.subnet6 === stored.subnet6) return;
      giveIpv6(route, index, kept);
      await store.add(kept);
      return;
    } catch {
      // Meanwhile somebody else has taken its name or its subnet: it gets others.
      await store.remove(kept.id);
    }
  }
  const subnet = wanted.freeSubnet();
  const network = newNetwork({
    ...(kept ? { id: kept.id, created: kept.created } : {}),
    ...ipv6,
    name: 'bridge',
    driver: 'bridge',
    bridge: freeBridgeName(route, BRIDGE_NAME),
    subnet: textOfSubnet(subnet),
    gateway: textOfAddress(subnet.first + 1),
  });
  ensureBridge(route, network, owner);
  await store.add(network);
};

/** From one start to the next it may be asked for, or not any more. */
const ipv6Of = (
  { ipv6, freeSubnet6 }: DefaultBridge,
  kept: Network | undefined,
): Pick<Network, 'subnet6' | 'gateway6'> => {
  if (ipv6 === null) return { subnet6: '', gateway6: '' };
  const named = ipv6 === '' ? null : parseSubnet6(ipv6);
  if (kept?.subnet6 && (!named || textOfSubnet6(named) === kept.subnet6)) {
    return { subnet6: kept.subnet6, gateway6: kept.gateway6 };
  }
  const subnet = named ?? freeSubnet6();
  return { subnet6: textOfSubnet6(subnet), gateway6: textOfAddress6(subnet.first + 1n) };
};
