/**
 * A container's networks, as clients give and get them: `NetworkingConfig` of a new one, `NetworkSettings` of
 * `docker inspect`, PORTS of `docker ps`. Upstream: moby daemon/{network,inspect}.go.
 */
import {
  NO_ENDPOINT_CONFIG,
  type EndpointConfig,
} from '../../protocol/docker-engine-api/networks.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Container } from '../container/container.ts';
import { isRunning } from '../container/container-state.ts';
import type { Endpoint, EndpointSettings } from '../libnetwork/endpoint.ts';
import { exposedPorts } from '../libnetwork/port-wishes.ts';
import { contains, numberOfAddress, parseSubnet } from '../libnetwork/subnet.ts';
import { contains6, numberOfAddress6, parseSubnet6 } from '../libnetwork/subnet6.ts';
import { CONTAINER_PREFIX } from '../oci/namespaces.ts';
import type { Daemon } from './daemon.ts';
import { names, networkOf } from './container-network.ts';
import { parseLink } from './links.ts';
import { isNetworkName } from './network-mode.ts';

export type AskedNetworks = Readonly<Record<string, EndpointConfig>>;

const SHORT_ID = 12;

/** RFC 3927, RFC 4291. */
const isLinkLocal = (address: string): boolean => {
  const number = numberOfAddress(address);
  const number6 = numberOfAddress6(address);
  return number === null
    ? number6 !== null && contains6(parseSubnet6('fe80::/10'), number6)
    : contains(parseSubnet('169.254.0.0/16'), number);
};

export const settingsFor = (network: string, asked: EndpointConfig): EndpointSettings => {
  const linkLocal = asked.IPAMConfig?.LinkLocalIPs ?? [];
  for (const address of linkLocal) {
    if (isLinkLocal(address)) continue;
    throw new EngineError('invalid_argument', `invalid link-local IP address: ${address}`);
  }
  for (const link of asked.Links) parseLink(link);
  return {
    network,
    aliases: asked.Aliases,
    links: asked.Links,
    address: asked.IPAMConfig?.IPv4Address ?? '',
    address6: asked.IPAMConfig?.IPv6Address ?? '',
    ...(linkLocal.length > 0 ? { linkLocal } : {}),
    mac: asked.MacAddress,
    driverOptions: asked.DriverOpts,
    gatewayPriority: asked.GwPriority,
  };
};

/** The network of `--network` first, then the others that were named beside it. */
export const endpointSettings = (mode: string, asked: AskedNetworks): EndpointSettings[] => {
  const fixed = (name: string): string => (name === 'default' ? mode : name);
  const others = Object.entries(asked).map(([name, config]) => settingsFor(fixed(name), config));
  if (!isNetworkName(mode)) {
    if (others.every(({ network }) => network === mode)) return [];
    throw new EngineError(
      'invalid_argument',
      `conflicting options: cannot attach a container in ${mode.startsWith(CONTAINER_PREFIX) ? 'container' : mode} network mode to another network`,
    );
  }
  const main = others.find(({ network }) => network === mode);
  return [
    main ?? settingsFor(mode, NO_ENDPOINT_CONFIG),
    ...others.filter((settings) => settings !== main),
  ];
};

/** What was asked for; null when nothing was. */
const ipamConfig = (
  settings: EndpointSettings | null,
): Readonly<Record<string, unknown>> | null => {
  const { address = '', address6 = '', linkLocal = [] } = settings ?? {};
  if (address === '' && address6 === '' && linkLocal.length === 0) return null;
  return {
    ...(address === '' ? {} : { IPv4Address: address }),
    ...(address6 === '' ? {} : { IPv6Address: address6 }),
    ...(linkLocal.length === 0 ? {} : { LinkLocalIPs: linkLocal }),
  };
};

const endpointAnswer = (
  container: Container,
  networkId: string,
  settings: EndpointSettings | null,
  endpoint: Endpoint | null,
): Readonly<Record<string, unknown>> => ({
  IPAMConfig: ipamConfig(settings),
  Links: settings?.links && settings.links.length > 0 ? settings.links : null,
  Aliases: settings && settings.aliases.length > 0 ? settings.aliases : null,
  DriverOpts:
    settings && Object.keys(settings.driverOptions).length > 0 ? settings.driverOptions : null,
  GwPriority: settings?.gatewayPriority ?? 0,
  NetworkID: networkId,
  EndpointID: endpoint?.id ?? '',
  Gateway: endpoint?.gateway ?? '',
  IPAddress: endpoint?.address ?? '',
  MacAddress: endpoint?.mac ?? '',
  IPPrefixLen: endpoint?.prefix ?? 0,
  IPv6Gateway: endpoint?.ipv6?.gateway ?? '',
  GlobalIPv6Address: endpoint?.ipv6?.address ?? '',
  GlobalIPv6PrefixLen: endpoint?.ipv6?.prefix ?? 0,
  DNSNames:
    endpoint && endpoint.networkName !== 'bridge'
      ? [
          ...new Set([
            container.name,
            ...endpoint.aliases,
            container.id.slice(0, SHORT_ID),
            container.record.config.Hostname,
          ]),
        ]
      : null,
});

/** By name: the networks that the container belongs to, and what it has there while it runs. */
export const networksOf = (
  { networks }: Daemon,
  container: Container,
): Readonly<Record<string, unknown>> => {
  const { NetworkMode: mode } = container.hostConfig;
  // The network is the other container's; it is listed there.
  if (mode.startsWith(CONTAINER_PREFIX)) return {};
  if (!isNetworkName(mode)) {
    const id = networks.store.byName(mode)?.id ?? '';
    return { [mode]: endpointAnswer(container, id, null, null) };
  }
  const { settings, endpoints } = networkOf(container);
  return Object.fromEntries(
    settings.map((each) => {
      const network = networks.store.list().find((candidate) => names(candidate, each));
      const endpoint = endpoints.find(({ networkId }) => networkId === network?.id) ?? null;
      return [
        network?.name ?? each.network,
        endpointAnswer(container, network?.id ?? '', each, endpoint),
      ];
    }),
  );
};

export const isOnNetwork = (container: Container, reference: string): boolean => {
  const { settings, endpoints } = networkOf(container);
  return (
    container.hostConfig.NetworkMode === reference ||
    settings.some(({ network }) => network === reference) ||
    endpoints.some(({ networkId, networkName }) => [networkId, networkName].includes(reference))
  );
};

/** Each port that the container names → where on the host it can be reached; null for nowhere. */
const portsOf = (container: Container): Readonly<Record<string, unknown>> => {
  if (!isRunning(container.state) || !isNetworkName(container.hostConfig.NetworkMode)) return {};
  const { ports } = networkOf(container);
  const answer: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const { containerPort, protocol } of exposedPorts(container.record.config.ExposedPorts)) {
    answer[`${containerPort}/${protocol}`] = null;
  }
  for (const { containerPort, protocol, hostIp, hostPort } of ports) {
    const key = `${containerPort}/${protocol}`;
    answer[key] = [...(answer[key] ?? []), { HostIp: hostIp, HostPort: String(hostPort) }];
  }
  return answer;
};

export const networkSettings = (daemon: Daemon, container: Container): unknown => {
  const { endpoints } = networkOf(container);
  const main = endpoints.find(({ networkName }) => networkName === 'bridge');
  const { pid } = container.state;
  return {
    Bridge: '',
    SandboxID: '',
    SandboxKey: isRunning(container.state) ? `/proc/${pid}/ns/net` : '',
    Ports: portsOf(container),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: main?.id ?? '',
    Gateway: main?.gateway ?? '',
    GlobalIPv6Address: main?.ipv6?.address ?? '',
    GlobalIPv6PrefixLen: main?.ipv6?.prefix ?? 0,
    IPAddress: main?.address ?? '',
    IPPrefixLen: main?.prefix ?? 0,
    IPv6Gateway: main?.ipv6?.gateway ?? '',
    MacAddress: main?.mac ?? '',
    Networks: networksOf(daemon, container),
  };
};

/** The PORTS column. */
export const portSummaries = (container: Container): unknown[] => {
  if (!isRunning(container.state) || !isNetworkName(container.hostConfig.NetworkMode)) return [];
  const { ports } = networkOf(container);
  const hidden = exposedPorts(container.record.config.ExposedPorts).filter(
    ({ containerPort, protocol }) =>
      !ports.some((port) => port.containerPort === containerPort && port.protocol === protocol),
  );
  return [
    ...hidden.map(({ containerPort, protocol }) => ({
      PrivatePort: containerPort,
      Type: protocol,
    })),
    ...ports.map(({ hostIp, containerPort, hostPort, protocol }) => ({
      IP: hostIp,
      PrivatePort: containerPort,
      PublicPort: hostPort,
      Type: protocol,
    })),
  ];
};
