/**
 * The rules of `firewall.ts` for IPv6, as a table of its own: packets leave under the host's address, come in by a
 * published port, and none goes between two networks.
 * Upstream: moby daemon/libnetwork/drivers/bridge/setup_ip6_tables_linux.go.
 */
import { DSTNAT, filterChain, SRCNAT, type Forwarding } from './firewall.ts';
import { isMasqueraded, type Network } from './network.ts';
import { type Chain } from './netlink/nf-tables.ts';
import {
  daddr6,
  dnat6,
  dport,
  iifname,
  masquerade,
  oifname,
  saddr6,
  toLocalAddress,
  type Rule,
} from './netlink/nf-terms.ts';
import { numberOfAddress6, parseSubnet6, subnetAt6 } from './subnet6.ts';

const LOOPBACK = parseSubnet6('::1/128');

const forward = (rule: Forwarding, ...origin: Rule): Rule => [
  ...origin,
  rule.hostIp === '::'
    ? toLocalAddress
    : daddr6(subnetAt6(numberOfAddress6(rule.hostIp) ?? 0n, 128)),
  dport(rule.protocol, rule.hostPort),
  dnat6(numberOfAddress6(rule.containerIp) ?? 0n, rule.containerPort),
];

/** Precondition: all of the networks have IPv6, and the ports lead to addresses of that kind. */
export const chainsFor6 = (
  networks: readonly Network[],
  forwardings: readonly Forwarding[],
): Chain[] => {
  // Towards loopback the kernel routes nothing into a bridge: those connections go through the userland proxy.
  const routed = forwardings.filter(({ hostIp }) => hostIp !== '::1');
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
      rules: routed.map((rule) => forward(rule, daddr6(LOOPBACK, true))),
    },
    {
      name: 'postrouting',
      type: 'nat',
      hook: 'postrouting',
      priority: SRCNAT,
      rules: networks
        .filter(isMasqueraded)
        .map(({ subnet6, bridge }) => [
          saddr6(parseSubnet6(subnet6)),
          oifname(bridge, true),
          masquerade,
        ]),
    },
    filterChain(networks),
  ];
};
