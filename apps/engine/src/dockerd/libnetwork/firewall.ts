/**
 * What packets may do: leave under the host's address, come in by a published port, and nothing between two networks.
 * The whole of it is one table, computed from what there is and replaced in one transaction; nothing is added or taken
 * away piece by piece, so nothing can be left behind. Real Docker keeps the same rules in chains named DOCKER.
 * See nft(8). Upstream: moby daemon/libnetwork/drivers/bridge/setup_ip_tables_linux.go.
 */
import { hasIcc, isMasqueraded, subnetOf, type Network } from './network.ts';
import { type Chain } from './netlink/nf-tables.ts';
import {
  accept,
  daddr,
  dnat,
  dport,
  drop,
  established,
  iifname,
  masquerade,
  oifname,
  oifnameLike,
  saddr,
  toLocalAddress,
  wasDnat,
  type Rule,
  type Transport,
} from './netlink/nf-terms.ts';
import { numberOfAddress, parseSubnet, subnetAt } from './subnet.ts';

/** A port of the host that leads into a container. */
export interface Forwarding {
  readonly bridge: string;
  readonly protocol: Transport;
  /** `0.0.0.0` and `::` for every address of the host. */
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerIp: string;
  readonly containerPort: number;
}

const LOOPBACK = parseSubnet('127.0.0.0/8');
export const DSTNAT = -100;
export const SRCNAT = 100;
const FILTER = 0;

const isLoopback = (hostIp: string): boolean => hostIp.startsWith('127.');

/** Towards loopback the kernel routes nothing into a bridge: those connections go through the userland proxy. */
const forward = (rule: Forwarding, ...origin: Rule): Rule => [
  ...origin,
  rule.hostIp === '0.0.0.0'
    ? toLocalAddress
    : daddr(subnetAt(numberOfAddress(rule.hostIp) ?? 0, 32)),
  dport(rule.protocol, rule.hostPort),
  dnat(numberOfAddress(rule.containerIp) ?? 0, rule.containerPort),
];

/** A real Docker's: containers of one engine are no neighbours of the other's, but for published ports. */
const DOCKERS_BRIDGES = [oifname('docker0'), oifnameLike('br-')];

const filterRules = (network: Network): Rule[] => {
  const { bridge, isInternal } = network;
  const among: Rule = [iifname(bridge), oifname(bridge), hasIcc(network) ? accept : drop];
  const apart = DOCKERS_BRIDGES.flatMap((docker): Rule[] => [
    [iifname(bridge), docker, wasDnat, accept],
    [iifname(bridge), docker, drop],
  ]);
  if (isInternal) {
    return [among, [iifname(bridge), drop], [oifname(bridge), drop]];
  }
  return [
    [oifname(bridge), established, accept],
    [oifname(bridge), wasDnat, accept],
    among,
    [oifname(bridge), drop],
    ...apart,
  ];
};

/** Between interfaces, whatever the addresses. */
export const filterChain = (networks: readonly Network[]): Chain => ({
  name: 'forward',
  type: 'filter',
  hook: 'forward',
  priority: FILTER,
  // What may not leave at all is stopped before anything is let in elsewhere.
  rules: [
    ...networks.filter(({ isInternal }) => isInternal),
    ...networks.filter(({ isInternal }) => !isInternal),
  ].flatMap(filterRules),
});

export const chainsFor = (
  networks: readonly Network[],
  forwardings: readonly Forwarding[],
): Chain[] => {
  const routed = forwardings.filter(({ hostIp }) => !isLoopback(hostIp));
  return [
    {
      name: 'prerouting',
      type: 'nat',
      hook: 'prerouting',
      priority: DSTNAT,
      rules: routed.map((rule) => forward(rule, iifname(rule.bridge, true))),
    },
    {
      name: 'output',
      type: 'nat',
      hook: 'output',
      priority: DSTNAT,
      rules: routed.map((rule) => forward(rule, daddr(LOOPBACK, true))),
    },
    {
      name: 'postrouting',
      type: 'nat',
      hook: 'postrouting',
      priority: SRCNAT,
      rules: networks
        .filter(isMasqueraded)
        .map((network) => [saddr(subnetOf(network)), oifname(network.bridge, true), masquerade]),
    },
    filterChain(networks),
  ];
};
