/**
 * What of the networks is in the kernel of the host: bridges, the table of packet rules, the host as a router.
 * All of it carries this engine's mark, is made again after a crash, and goes when nobody needs it.
 * Upstream: moby daemon/libnetwork/drivers/bridge/bridge_linux.go.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { messageOf } from '../../protocol/errdefs.ts';
import { ensureBridge, removeBridge, removeOrphans, takenSubnets } from './bridge.ts';
import { ensureDefaultBridge } from './default-bridge.ts';
import { letThrough, meetsDocker } from './docker-user.ts';
import { chainsFor, type Forwarding } from './firewall.ts';
import { chainsFor6 } from './firewall6.ts';
import { freePool } from './ipam.ts';
import { freeSubnet6 } from './ipam6.ts';
import { isPredefined, subnetOf, type Network } from './network.ts';
import type { NetworkStore } from './network-store.ts';
import { listRoutes6 } from './netlink/links6.ts';
import { removeTable, replaceTable } from './netlink/nf-tables.ts';
import { wordsOf } from './netlink/nf-terms.ts';
import {
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NetlinkSocket,
  type NetlinkNative,
} from './netlink/socket.ts';
import type { Subnet } from './subnet.ts';
import { parseSubnet6, type Subnet6 } from './subnet6.ts';
import type { Teller } from './teller.ts';

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';
const FORWARDING_6 = '/proc/sys/net/ipv6/conf/all/forwarding';

const routeOn = (path: string): void => {
  if (readFileSync(path, 'utf8').trim() !== '1') writeFileSync(path, '1\n');
};

/** What marks the bridges and the table of one engine. */
const ownerOf = (dataRoot: string): string =>
  `engine-room-${createHash('sha256').update(dataRoot).digest('hex').slice(0, 12)}`;

interface HostSideOptions {
  readonly dataRoot: string;
  readonly defaultIpv6: string | null;
  readonly native: NetlinkNative;
  readonly store: NetworkStore;
  readonly teller: Teller;
}

export class HostSide {
  /** Why there are no bridges on this machine; null where there are. */
  lack: string | null = null;
  /** Why there are no packet rules; null where there are. */
  firewallLack: string | null = null;
  readonly #owner: string;
  readonly #defaultIpv6: string | null;
  readonly #native: NetlinkNative;
  readonly #store: NetworkStore;
  readonly #teller: Teller;
  #route: NetlinkSocket | null = null;
  #netfilter: NetlinkSocket | null = null;
  #hasRules6 = false;
  /** The bridges that a real Docker lets pass; null for none. */
  #knownToDocker: readonly string[] | null = null;

  constructor({ dataRoot, defaultIpv6, native, store, teller }: HostSideOptions) {
    this.#owner = ownerOf(dataRoot);
    this.#defaultIpv6 = defaultIpv6;
    this.#native = native;
    this.#store = store;
    this.#teller = teller;
  }

  get route(): NetlinkSocket {
    if (!this.#route) throw new Error('there are no bridges on this machine');
    return this.#route;
  }

  bridges(): Network[] {
    return this.#store.list().filter(({ driver }) => driver === 'bridge');
  }

  /** Makes everything be there again. Without bridges in the kernel the rest of the engine still works. */
  async load(): Promise<void> {
    try {
      this.#route = new NetlinkSocket(this.#native, NETLINK_ROUTE);
      await ensureDefaultBridge(this.#route, this.#owner, {
        store: this.#store,
        ipv6: this.#defaultIpv6,
        freeSubnet: () => this.freeSubnet(),
        freeSubnet6: () => this.freeSubnet6(),
      });
    } catch (error) {
      this.lack = messageOf(error);
      process.stderr.write(`dockerd: no bridge network: ${this.lack}\n`);
      return;
    }
    removeOrphans(this.#route, this.#owner, (name) =>
      this.bridges().some(({ bridge }) => bridge === name),
    );
    for (const network of this.bridges().filter((each) => !isPredefined(each))) {
      try {
        ensureBridge(this.#route, network, this.#owner);
      } catch (error) {
        process.stderr.write(`dockerd: network ${network.name}: ${messageOf(error)}\n`);
      }
    }
    try {
      this.#netfilter = new NetlinkSocket(this.#native, NETLINK_NETFILTER);
    } catch (error) {
      this.firewallLack = messageOf(error);
    }
  }

  takenSubnets(): Subnet[] {
    return [...this.bridges().map(subnetOf), ...(this.#route ? takenSubnets(this.#route) : [])];
  }

  takenSubnets6(): Subnet6[] {
    return [
      ...this.bridges()
        .filter(({ subnet6 }) => subnet6 !== '')
        .map(({ subnet6 }) => parseSubnet6(subnet6)),
      ...(this.#route ? listRoutes6(this.#route) : []),
    ];
  }

  /** Of this engine's own, for a network that asks for IPv6 and for no subnet. */
  freeSubnet6(): Subnet6 {
    return freeSubnet6(this.#owner, this.takenSubnets6());
  }

  /** A subnet that nothing on this machine and no network of ours uses. */
  freeSubnet(): Subnet {
    return freePool(this.takenSubnets());
  }

  addBridge(network: Network): void {
    this.#teller.call(
      {
        title: `the bridge ${network.bridge} is made: a switch with the gateway ${network.gateway}`,
        detail: `RTM_NEWLINK {bridge, "${network.bridge}"}, RTM_NEWADDR {${network.gateway}}`,
        level: 'step',
        reference: 'man:rtnetlink(7)',
        source: __SOURCE__,
        attributes: {
          'engineroom.network.name': network.name,
          'engineroom.network.bridge': network.bridge,
          'engineroom.network.subnet': network.subnet,
        },
      },
      () => ensureBridge(this.route, network, this.#owner),
    );
  }

  removeBridge({ bridge }: Network): void {
    if (this.#route && bridge !== '') removeBridge(this.#route, bridge, this.#owner);
  }

  applyRules(forwardings: readonly Forwarding[]): void {
    if (!this.#netfilter) return;
    const netfilter = this.#netfilter;
    const chains = chainsFor(
      this.bridges(),
      forwardings.filter(({ hostIp }) => !hostIp.includes(':')),
    );
    this.#applyRules6(
      netfilter,
      // To a container without IPv6 such a port leads through the userland proxy alone.
      forwardings.filter(
        ({ hostIp, containerIp }) => hostIp.includes(':') && containerIp.includes(':'),
      ),
    );
    try {
      this.#teller.call(
        {
          title: 'the packet rules are replaced, all at once',
          detail: chains
            .flatMap(({ name, rules }) => rules.map((rule) => `${name}: ${wordsOf(rule)}`))
            .slice(0, MOST_RULES_TOLD)
            .join('; '),
          level: 'detail',
          reference: 'man:nft(8)',
          source: __SOURCE__,
          attributes: { 'engineroom.network.table': this.#owner },
        },
        () => replaceTable(netfilter, this.#owner, chains),
      );
    } catch (error) {
      this.firewallLack = messageOf(error);
      process.stderr.write(`dockerd: no packet rules: ${this.firewallLack}\n`);
    }
  }

  /** Where no network has IPv6 there is no table of it. */
  #applyRules6(netfilter: NetlinkSocket, forwardings: readonly Forwarding[]): void {
    const networks = this.bridges().filter(({ subnet6 }) => subnet6 !== '');
    if (networks.length === 0 && !this.#hasRules6) return;
    try {
      if (networks.length === 0) removeTable(netfilter, this.#owner, 'ip6');
      else replaceTable(netfilter, this.#owner, chainsFor6(networks, forwardings), 'ip6');
      this.#hasRules6 = networks.length > 0;
      if (this.#hasRules6) routeOn(FORWARDING_6);
    } catch (error) {
      process.stderr.write(`dockerd: no packet rules for IPv6: ${messageOf(error)}\n`);
    }
  }

  /** Asked whenever a container comes: a Docker may have been started meanwhile. */
  passBesideDocker(): void {
    if (!this.#netfilter || this.firewallLack !== null) return;
    try {
      if (!meetsDocker(this.#netfilter)) return;
      const bridges = this.bridges().map(({ bridge }) => bridge);
      if (this.#knownToDocker?.join() === bridges.join()) return;
      letThrough(this.#owner, bridges);
      this.#knownToDocker = bridges;
    } catch (error) {
      process.stderr.write(
        `dockerd: beside a real Docker, packets may not pass: ${messageOf(error)}\n`,
      );
    }
  }

  #leaveDocker(): void {
    if (!this.#knownToDocker || !this.#netfilter || !meetsDocker(this.#netfilter)) return;
    letThrough(this.#owner, []);
    this.#knownToDocker = null;
  }

  /** What leaves a bridge is passed on only by a router; without rules that one would let everything through. */
  becomeRouter(): void {
    if (this.lack !== null || this.firewallLack !== null) return;
    try {
      routeOn(FORWARDING);
    } catch (error) {
      process.stderr.write(
        `dockerd: containers cannot reach beyond this host: ${messageOf(error)}\n`,
      );
    }
  }

  /** Precondition: no container is on any of the networks. They are made again at the next start. */
  takeDown(): void {
    if (this.#route) removeOrphans(this.#route, this.#owner, () => false);
    if (!this.#netfilter || this.firewallLack !== null) return;
    this.#leaveDocker();
    removeTable(this.#netfilter, this.#owner);
    if (this.#hasRules6) removeTable(this.#netfilter, this.#owner, 'ip6');
  }
}

const MOST_RULES_TOLD = 64;

/** For `npm run reset`: what a killed dockerd has left in the kernel. */
export const removeEverythingOf = (native: NetlinkNative, dataRoot: string): void => {
  const owner = ownerOf(dataRoot);
  const route = new NetlinkSocket(native, NETLINK_ROUTE);
  removeOrphans(route, owner, () => false);
  route.close();
  const netfilter = new NetlinkSocket(native, NETLINK_NETFILTER);
  removeTable(netfilter, owner);
  removeTable(netfilter, owner, 'ip6');
  netfilter.close();
};
