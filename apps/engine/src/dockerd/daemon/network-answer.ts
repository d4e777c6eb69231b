/** A network as `docker network ls` and `inspect` show it. Upstream: moby daemon/network.go buildNetworkResource. */
import type { NetworkAnswer } from '../../protocol/docker-engine-api/networks.ts';
import type { Network } from '../libnetwork/network.ts';
import type { Daemon } from './daemon.ts';

const isOf6 = ([, address]: readonly [string, string]): boolean => address.includes(':');

const ipamOf = (network: Network): NetworkAnswer['IPAM'] => {
  const { subnet, gateway, ipRange, subnet6, gateway6, ipRange6, idlePool6, auxiliary } = network;
  const reserved = (isWanted: (entry: readonly [string, string]) => boolean) => {
    const own = Object.entries(auxiliary).filter(isWanted);
    return own.length > 0 ? { AuxiliaryAddresses: Object.fromEntries(own) } : {};
  };
  const pools = [
    ...(subnet === ''
      ? []
      : [
          {
            Subnet: subnet,
            ...(ipRange === '' ? {} : { IPRange: ipRange }),
            Gateway: gateway,
            ...reserved((entry) => !isOf6(entry)),
          },
        ]),
    ...(subnet6 === ''
      ? []
      : [
          {
            Subnet: subnet6,
            ...(ipRange6 === '' ? {} : { IPRange: ipRange6 }),
            Gateway: gateway6,
            ...reserved(isOf6),
          },
        ]),
    ...(idlePool6 ? [idlePool6] : []),
  ];
  return { Driver: 'default', Options: null, Config: pools.length > 0 ? pools : null };
};

export const networkAnswer = (
  network: Network,
  containers: NetworkAnswer['Containers'],
): NetworkAnswer => ({
  Name: network.name,
  Id: network.id,
  Created: network.created,
  Scope: 'local',
  Driver: network.driver,
  EnableIPv4: true,
  EnableIPv6: network.subnet6 !== '',
  IPAM: ipamOf(network),
  Internal: network.isInternal,
  Attachable: network.isAttachable,
  Ingress: false,
  ConfigFrom: { Network: '' },
  ConfigOnly: false,
  Containers: containers,
  Options: network.options,
  Labels: network.labels,
});

/** Those that run. */
export const membersAnswer = (daemon: Daemon, { id }: Network): NetworkAnswer['Containers'] =>
  Object.fromEntries(
    daemon.networks.membersOf(id).map(({ member, endpoint }) => [
      member.containerId,
      {
        Name: daemon.store.byId(member.containerId)?.name ?? '',
        EndpointID: endpoint.id,
        MacAddress: endpoint.mac,
        IPv4Address: `${endpoint.address}/${endpoint.prefix}`,
        IPv6Address: endpoint.ipv6 ? `${endpoint.ipv6.address}/${endpoint.ipv6.prefix}` : '',
      },
    ]),
  );
