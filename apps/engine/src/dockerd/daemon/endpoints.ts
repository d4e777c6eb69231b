/**
 * A container and its networks, from start to exit: addresses are leased before the task is created, the namespace is
 * furnished while the container's first process waits in front of its program, and all is given back after the exit.
 * Upstream: moby daemon/container_operations.go allocateNetwork, initializeNetworking, releaseNetwork.
 */
import { readFileSync } from 'node:fs';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import type { Member } from '../libnetwork/member.ts';
import type { Endpoint, EndpointSettings } from '../libnetwork/endpoint.ts';
import { OPTION, type Network } from '../libnetwork/network.ts';
import { portWishes } from '../libnetwork/port-wishes.ts';
import { nameservers } from '../oci/network-files.ts';
import { CONTAINER_PREFIX } from '../oci/namespaces.ts';
import { names, networkOf, setNetwork } from './container-network.ts';
import type { Daemon } from './daemon.ts';
import { parseLink } from './links.ts';
import { bridgeNamed, inOrder, lease, release } from './leases.ts';

const SHORT_ID = 12;

/** All or none. Precondition: the caller writes the container's record down. */
export const leaseEndpoints = (daemon: Daemon, container: Container): void => {
  const { settings } = networkOf(container);
  const endpoints: Endpoint[] = [];
  try {
    for (const each of settings) {
      endpoints.push(lease(daemon, bridgeNamed(daemon, each.network), each, endpoints));
    }
  } catch (error) {
    for (const endpoint of endpoints) release(daemon, endpoint);
    throw error;
  }
  setNetwork(container, { endpoints: inOrder(settings, endpoints), ports: [] });
};

const memberOf = (daemon: Daemon, container: Container): Member => ({
  containerId: container.id,
  pid: container.state.pid,
  endpoints: networkOf(container).endpoints,
  namesIn: (networkId) => [
    container.name,
    ...networkOf(container)
      .endpoints.filter((endpoint) => endpoint.networkId === networkId)
      .flatMap(({ aliases }) => aliases),
    container.id.slice(0, SHORT_ID),
    container.record.config.Hostname,
  ],
  linksIn: (networkId) =>
    new Map(
      networkOf(container)
        .settings.filter((each) => names(daemon.networks.store.find(networkId), each))
        .flatMap(({ links = [] }) => links.map(parseLink))
        .map(({ name, alias }) => [alias.toLowerCase(), name.toLowerCase()]),
    ),
  upstream: () => {
    const { Dns } = container.hostConfig;
    return Dns.length > 0 ? Dns : nameservers(readHostResolvConf());
  },
  context: container.record.startedIn,
});

const readHostResolvConf = (): string => {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    return '';
  }
};

export const tellNetwork = (
  daemon: Daemon,
  network: { readonly id: string; readonly name: string },
  action: string,
  attributes: Readonly<Record<string, string>> = {},
): void =>
  daemon.events.emit({
    Type: 'network',
    Action: action,
    Actor: { ID: network.id, Attributes: { ...attributes, name: network.name, type: 'bridge' } },
  });

const tell = (daemon: Daemon, container: Container, endpoint: Endpoint, action: string): void =>
  tellNetwork(daemon, { id: endpoint.networkId, name: endpoint.networkName }, action, {
    container: container.id,
  });

/** Precondition: the task is created and not yet started, and the container's state holds its pid. */
export const enterNetworks = async (daemon: Daemon, container: Container): Promise<void> => {
  const { endpoints } = networkOf(container);
  if (endpoints.length === 0) return;
  await daemon.networks.enter(memberOf(daemon, container));
  for (const endpoint of endpoints) tell(daemon, container, endpoint, 'connect');
  await publishPorts(daemon, container);
};

const publishPorts = async (daemon: Daemon, container: Container): Promise<void> => {
  const wishes = portWishes(container.record.config.ExposedPorts, container.hostConfig);
  const endpoint = networkOf(container).endpoints.find(({ gateway }) => gateway !== '');
  if (!endpoint || wishes.length === 0) return;
  const defaultIp =
    daemon.networks.store.find(endpoint.networkId).options[OPTION.hostBinding] ?? '';
  try {
    const ports = await daemon.networks.publish(
      container.id,
      wishes.map((wish) => (wish.hostIp === '' ? { ...wish, hostIp: defaultIp } : wish)),
      endpoint.address,
    );
    setNetwork(container, { ports });
  } catch (error) {
    throw new EngineError(
      'internal',
      `failed to set up container networking: driver failed programming external connectivity on endpoint ${container.name} (${endpoint.id}): ${messageOf(error)}`,
      { cause: error },
    );
  }
  // Whoever finds the container running after a crash must find its ports as well.
  await daemon.store.save(container);
};

/** A new dockerd finds the container running. */
export const adoptNetworks = async (daemon: Daemon, container: Container): Promise<void> => {
  const { endpoints, ports } = networkOf(container);
  for (const { id, networkId, address, ipv6 } of endpoints) {
    daemon.networks.addresses.keep(networkId, id, address);
    if (ipv6) daemon.networks.addresses6.keep(networkId, id, ipv6.address);
  }
  if (endpoints.length === 0) return;
  try {
    await daemon.networks.adopt(memberOf(daemon, container), ports);
  } catch (error) {
    // The container goes on with what it has.
    process.stderr.write(`dockerd: container ${container.id}: ${messageOf(error)}\n`);
  }
};

/** Precondition: the caller writes the container's record down. */
export const leaveNetworks = (daemon: Daemon, container: Container): void => {
  const { endpoints } = networkOf(container);
  if (endpoints.length === 0) return;
  const isShared = daemon.store
    .list()
    .some(
      ({ hostConfig, state }) =>
        hostConfig.NetworkMode === `${CONTAINER_PREFIX}${container.id}` && isRunning(state),
    );
  try {
    daemon.networks.leave(container.id, { isShared });
  } catch (error) {
    process.stderr.write(`dockerd: container ${container.id}: ${messageOf(error)}\n`);
  }
  for (const endpoint of endpoints) {
    release(daemon, endpoint);
    tell(daemon, container, endpoint, 'disconnect');
  }
  setNetwork(container, { endpoints: [], ports: [] });
};

/** `docker network connect` while it runs. Precondition: the caller holds the container and writes it down. */
export const joinNetwork = async (
  daemon: Daemon,
  container: Container,
  settings: EndpointSettings,
): Promise<Endpoint> => {
  const before = networkOf(container);
  const network = bridgeNamed(daemon, settings.network);
  const endpoint = lease(daemon, network, settings, before.endpoints);
  const all = [...before.settings, settings];
  setNetwork(container, {
    settings: all,
    endpoints: inOrder(all, [...before.endpoints, endpoint]),
  });
  try {
    await daemon.networks.join(container.id, memberOf(daemon, container), endpoint);
  } catch (error) {
    setNetwork(container, before);
    release(daemon, endpoint);
    throw error;
  }
  tell(daemon, container, endpoint, 'connect');
  return endpoint;
};

/** `docker network disconnect`. Precondition as above. Answers the endpoint that it had there. */
export const partFromNetwork = (
  daemon: Daemon,
  container: Container,
  network: Network,
): Endpoint | null => {
  const before = networkOf(container);
  const endpoint = before.endpoints.find(({ networkId }) => networkId === network.id) ?? null;
  setNetwork(container, {
    settings: before.settings.filter((each) => !names(network, each)),
    endpoints: before.endpoints.filter((each) => each !== endpoint),
  });
  if (!endpoint) return null;
  if (isRunning(container.state))
    daemon.networks.part(container.id, memberOf(daemon, container), endpoint);
  release(daemon, endpoint);
  tell(daemon, container, endpoint, 'disconnect');
  return endpoint;
};
