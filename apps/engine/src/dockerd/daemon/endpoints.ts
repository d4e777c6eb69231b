/**
 * A container and its networks, from start to exit: addresses are leased before the task is created, the namespace is
 * furnished while the container's first process waits in front of its program, and all is given back after the exit.
 * Upstream: moby daemon/container_operations.go allocateNetwork, initializeNetworking, releaseNetwork.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { isRunning } from '../container/container-state.ts';
import { NO_NETWORK, type Container, type ContainerNetwork } from '../container/container.ts';
import type { Member } from '../libnetwork/controller.ts';
import { isMac, macFor, type Endpoint, type EndpointSettings } from '../libnetwork/endpoint.ts';
import { isPredefined, mtuOf, OPTION, subnetOf, type Network } from '../libnetwork/network.ts';
import { portWishes } from '../libnetwork/port-wishes.ts';
import { nameservers, type NetworkView, type OwnName } from '../oci/network-files.ts';
import type { Daemon } from './daemon.ts';
import { CONTAINER_PREFIX } from './network-mode.ts';

const SHORT_ID = 12;

export const networkOf = ({ record }: Container): ContainerNetwork => record.network ?? NO_NETWORK;

export const ownNameOf = (
  { record: { config } }: Container,
  { address }: Pick<Endpoint, 'address'>,
): OwnName => ({
  address,
  name: config.Domainname
    ? `${config.Hostname}.${config.Domainname} ${config.Hostname}`
    : config.Hostname,
});

/** What the container's own files shall say of its networks. */
export const networkView = ({ networks }: Daemon, container: Container): NetworkView => {
  const { endpoints } = networkOf(container);
  const bridge = networks.store.byName('bridge');
  return {
    own: endpoints.map((endpoint) => ownNameOf(container, endpoint)),
    hostGateway: bridge?.gateway ?? '',
    names:
      endpoints.length === 0
        ? 'none'
        : endpoints.some(({ networkId }) => networkId !== bridge?.id)
          ? 'resolver'
          : 'host',
  };
};

/** For a container that does not run: it joins when it starts. */
export const saveSettings = (
  container: Container,
  network: Network,
  settings: EndpointSettings,
): void => {
  checkSettings(network, settings);
  setNetwork(container, { settings: [...networkOf(container).settings, settings] });
};

const setNetwork = (container: Container, change: Partial<ContainerNetwork>): void => {
  container.record = {
    ...container.record,
    network: { ...networkOf(container), ...change },
  };
};

const refuse = (sentence: string): never => {
  throw new EngineError('invalid_argument', sentence);
};

const checkSettings = (network: Network, { address, aliases, mac }: EndpointSettings): void => {
  if (address !== '' && isPredefined(network)) {
    refuse('user specified IP address is supported on user defined networks only');
  }
  if (address !== '' && !network.isSubnetChosen) {
    refuse(
      'user specified IP address is supported only when connecting to networks with user configured subnets',
    );
  }
  if (aliases.length > 0 && isPredefined(network)) {
    refuse('network-scoped alias is supported only for containers in user defined networks');
  }
  if (mac !== '' && !isMac(mac)) refuse(`invalid MAC address: ${mac}`);
};

/** Of several networks the one with the highest priority leads out, or else the first by name. */
const inOrder = (
  settings: readonly EndpointSettings[],
  endpoints: readonly Endpoint[],
): Endpoint[] => {
  const priority = ({ networkId, networkName }: Endpoint): number =>
    settings.find(({ network }) => network === networkName || networkId.startsWith(network))
      ?.gatewayPriority ?? 0;
  return [...endpoints].sort(
    (left, right) =>
      priority(right) - priority(left) || (left.networkName < right.networkName ? -1 : 1),
  );
};

/** eth0, eth1, …: the first that is free. */
const freeInterface = (endpoints: readonly Endpoint[]): string => {
  for (let i = 0; ; i += 1) {
    if (!endpoints.some(({ interfaceName }) => interfaceName === `eth${i}`)) return `eth${i}`;
  }
};

/** Precondition: the network is a bridge. */
const lease = (
  daemon: Daemon,
  network: Network,
  settings: EndpointSettings,
  others: readonly Endpoint[],
): Endpoint => {
  checkSettings(network, settings);
  const id = randomBytes(32).toString('hex');
  const address = daemon.networks.addresses.lease(network, id, settings.address);
  daemon.networks.teller.note('address leased', 'step', __SOURCE__, {
    'engineroom.network.name': network.name,
    'engineroom.network.subnet': network.subnet,
    'engineroom.network.address': address,
  });
  return {
    id,
    networkId: network.id,
    networkName: network.name,
    bridge: network.bridge,
    address,
    prefix: subnetOf(network).prefix,
    gateway: network.isInternal ? '' : network.gateway,
    mac: settings.mac === '' ? macFor(address) : settings.mac.toLowerCase(),
    mtu: mtuOf(network),
    aliases: settings.aliases,
    interfaceName: freeInterface(others),
    hostInterface: `veth${id.slice(0, 7)}`,
  };
};

const release = (daemon: Daemon, { networkId, id, address }: Endpoint): void =>
  daemon.networks.addresses.release(networkId, id, address);

const bridgeNamed = (daemon: Daemon, reference: string): Network => {
  const network = daemon.networks.store.find(reference);
  if (network.driver === 'bridge') return network;
  throw new EngineError(
    'invalid_argument',
    'container cannot be connected to multiple networks with one of the networks in private (none) mode',
  );
};

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

const memberOf = (container: Container): Member => ({
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
  await daemon.networks.enter(memberOf(container));
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
  for (const { id, networkId, address } of endpoints) {
    daemon.networks.addresses.keep(networkId, id, address);
  }
  if (endpoints.length === 0) return;
  try {
    await daemon.networks.adopt(memberOf(container), ports);
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
    await daemon.networks.join(container.id, memberOf(container), endpoint);
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
  if (isRunning(container.state)) daemon.networks.part(container.id, memberOf(container), endpoint);
  release(daemon, endpoint);
  tell(daemon, container, endpoint, 'disconnect');
  return endpoint;
};

/** Whether these settings mean that network: by name, or by the beginning of its id. */
export const names = ({ id, name }: Network, { network }: EndpointSettings): boolean =>
  network === name || (network !== '' && id.startsWith(network));
