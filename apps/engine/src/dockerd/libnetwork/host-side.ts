/**
 * What of the networks is in the kernel of the host: bridges, the table of packet rules, the host as a router.
 * All of it carries this engine's mark, is made again after a crash, and goes when nobody needs it.
 * Upstream: moby daemon/libnetwork/drivers/bridge/bridge_linux.go.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { messageOf } from '../../protocol/errdefs.ts';
import {
  ensureBridge,
  freeBridgeName,
  removeBridge,
  removeOrphans,
  takenSubnets,
} from './bridge.ts';
import { chainsFor, type Forwarding } from './firewall.ts';
import { freePool } from './ipam.ts';
import { isPredefined, subnetOf, type Network } from './network.ts';
import { newNetwork, type NetworkStore } from './network-store.ts';
import { removeTable, replaceTable, wordsOf } from './netlink/nf-tables.ts';
import {
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NetlinkSocket,
  type NetlinkNative,
} from './netlink/socket.ts';
import { textOfAddress, textOfSubnet, type Subnet } from './subnet.ts';
import type { Teller } from './teller.ts';

const DEFAULT_BRIDGE = 'engine-room';
const FORWARDING = '/proc/sys/net/ipv4/ip_forward';

/** What marks the bridges and the table of one engine. */
const ownerOf = (dataRoot: string): string =>
  `engine-room-${createHash('sha256').update(dataRoot).digest('hex').slice(0, 12)}`;

interface HostSideOptions {
  readonly dataRoot: string;
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
  readonly #native: NetlinkNative;
  readonly #store: NetworkStore;
  readonly #teller: Teller;
  #route: NetlinkSocket | null = null;
  #netfilter: NetlinkSocket | null = null;

  constructor({ dataRoot, native, store, teller }: HostSideOptions) {
    this.#owner = ownerOf(dataRoot);
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
      await this.#ensureDefaultBridge(this.#route);
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
    const chains = chainsFor(this.bridges(), forwardings);
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

  /** What leaves a bridge is passed on only by a router; without rules that one would let everything through. */
  becomeRouter(): void {
    if (this.lack !== null || this.firewallLack !== null) return;
    try {
      if (readFileSync(FORWARDING, 'utf8').trim() !== '1') writeFileSync(FORWARDING, '1\n');
    } catch (error) {
      process.stderr.write(
        `dockerd: containers cannot reach beyond this host: ${messageOf(error)}\n`,
      );
    }
  }

  /** Precondition: no container is on any of the networks. They are made again at the next start. */
  takeDown(): void {
    if (this.#route) removeOrphans(this.#route, this.#owner, () => false);
    if (this.#netfilter && this.firewallLack === null) removeTable(this.#netfilter, this.#owner);
  }

  async #ensureDefaultBridge(route: NetlinkSocket): Promise<void> {
    const kept = this.#store.byName('bridge');
    if (kept) {
      try {
        ensureBridge(route, kept, this.#owner);
        return;
      } catch {
        // Meanwhile somebody else has taken its name or its subnet: it gets others.
        await this.#store.remove(kept.id);
      }
    }
    const subnet = this.freeSubnet();
    const network = newNetwork({
      ...(kept ? { id: kept.id, created: kept.created } : {}),
      name: 'bridge',
      driver: 'bridge',
      bridge: freeBridgeName(route, DEFAULT_BRIDGE),
      subnet: textOfSubnet(subnet),
      gateway: textOfAddress(subnet.first + 1),
    });
    ensureBridge(route, network, this.#owner);
    await this.#store.add(network);
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
  netfilter.close();
};
