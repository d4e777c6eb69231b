/** `docker network create|ls|inspect|rm|prune|connect|disconnect`. Upstream: moby daemon/network.go. */
import type { Filters } from '../../protocol/docker-engine-api/filters.ts';
import type {
  NetworkAnswer,
  NetworkConnectBody,
  NetworkCreateBody,
  NetworkDisconnectBody,
} from '../../protocol/docker-engine-api/networks.ts';
import { EngineError, kindOf } from '../../protocol/errdefs.ts';
import type { Container } from '../container/container.ts';
import { isPredefined, PREDEFINED, type Network } from '../libnetwork/network.ts';
import { addOwnName, removeOwnName, rewriteResolvConf } from '../oci/network-files.ts';
import { CONTAINER_PREFIX } from '../oci/namespaces.ts';
import type { Daemon } from './daemon.ts';
import { tellPrune } from './events.ts';
import { names, networkOf, ownNamesOf, saveSettings } from './container-network.ts';
import { joinNetwork, partFromNetwork, tellNetwork } from './endpoints.ts';
import { hasLabel, isYes, select, type FilterTests } from './filters.ts';
import { membersAnswer, networkAnswer } from './network-answer.ts';
import { newBridge } from './network-create.ts';
import { parseUntil } from './prune.ts';
import { settingsFor } from './network-settings.ts';
import { networkView } from './network-view.ts';

/** Containers count by their settings too: a stopped one wants its network back. */
const isUsed = (daemon: Daemon, network: Network): boolean =>
  daemon.networks.membersOf(network.id).length > 0 ||
  daemon.store
    .list()
    .some((container) => networkOf(container).settings.some((each) => names(network, each)));

const listTests = (daemon: Daemon): FilterTests<Network> => ({
  dangling: (network, values) =>
    (!isPredefined(network) && !isUsed(daemon, network)) === isYes('dangling', values),
  driver: ({ driver }, values) => values.includes(driver),
  id: ({ id }, values) => values.some((part) => id.includes(part)),
  label: ({ labels }, values) => values.every((label) => hasLabel(labels, label)),
  name: ({ name }, values) => values.some((part) => name.includes(part)),
  scope: (_, values) => values.includes('local'),
  type: (network, values) => values.includes(isPredefined(network) ? 'builtin' : 'custom'),
});

const PRUNE_TESTS: FilterTests<Network> = {
  label: ({ labels }, values) => values.every((label) => hasLabel(labels, label)),
  'label!': ({ labels }, values) => !values.some((label) => hasLabel(labels, label)),
  until: ({ created }, values) => Date.parse(created) / 1000 < parseUntil(values[0] ?? ''),
};

export const listNetworks = (daemon: Daemon, filters: Filters): NetworkAnswer[] =>
  select(daemon.networks.store.list(), listTests(daemon), filters).map((network) =>
    networkAnswer(network, {}),
  );

export const inspectNetwork = (daemon: Daemon, reference: string): NetworkAnswer => {
  const network = daemon.networks.store.find(reference);
  return networkAnswer(network, membersAnswer(daemon, network));
};

export const createNetwork = async (
  daemon: Daemon,
  body: NetworkCreateBody,
): Promise<{ readonly id: string; readonly warning: string }> => {
  if (PREDEFINED.includes(body.Name)) {
    throw new EngineError(
      'forbidden',
      `operation is not permitted on predefined ${body.Name} network `,
    );
  }
  if (daemon.networks.store.byName(body.Name)) {
    throw new EngineError('conflict', `network with name ${body.Name} already exists`);
  }
  const network = newBridge(daemon.networks, body);
  await daemon.networks.addNetwork(network);
  tellNetwork(daemon, network, 'create');
  return { id: network.id, warning: '' };
};

export const removeNetwork = async (daemon: Daemon, reference: string): Promise<void> => {
  const network = daemon.networks.store.find(reference);
  if (isPredefined(network)) {
    throw new EngineError(
      'forbidden',
      `${network.name} is a pre-defined network and cannot be removed`,
    );
  }
  const members = daemon.networks.membersOf(network.id);
  if (members.length > 0) {
    const who = members.map(({ member, endpoint }) => {
      const name = daemon.store.byId(member.containerId)?.name ?? '';
      return `name:"${name}" id:"${endpoint.id.slice(0, 12)}"`;
    });
    throw new EngineError(
      'forbidden',
      `error while removing network: network ${network.name} has active endpoints (${who.join(', ')})`,
    );
  }
  await daemon.networks.removeNetwork(network);
  tellNetwork(daemon, network, 'destroy');
};

export const pruneNetworks = async (daemon: Daemon, filters: Filters): Promise<string[]> => {
  const unused = select(daemon.networks.store.list(), PRUNE_TESTS, filters).filter(
    (network) => !isPredefined(network) && !isUsed(daemon, network),
  );
  const deleted: string[] = [];
  for (const { id, name } of unused) {
    try {
      await removeNetwork(daemon, id);
      deleted.push(name);
    } catch (error) {
      // A container took it in the meantime, or somebody else removed it.
      if (!['forbidden', 'not_found'].includes(kindOf(error))) throw error;
    }
  }
  tellPrune(daemon, 'network', 0);
  return deleted;
};

const checkConnectable = (container: Container, network: Network): void => {
  const { NetworkMode: mode } = container.hostConfig;
  const refuse = (sentence: string): never => {
    throw new EngineError('invalid_argument', sentence);
  };
  if (network.driver === 'host' || mode === 'host') {
    refuse('container cannot be disconnected from host network or connected to host network');
  }
  if (mode.startsWith(CONTAINER_PREFIX)) {
    refuse(
      'container sharing network namespace with another container or host cannot be connected to any other network',
    );
  }
  if (network.driver === 'null' || mode === 'none') {
    refuse(
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    );
  }
};

export const connectNetwork = async (
  daemon: Daemon,
  reference: string,
  { Container: who, EndpointConfig: asked }: NetworkConnectBody,
): Promise<void> => {
  const network = daemon.networks.store.find(reference);
  const container = daemon.store.find(who);
  await container.exclusively(async () => {
    checkConnectable(container, network);
    const settings = settingsFor(network.name, asked);
    if (networkOf(container).settings.some((each) => names(network, each))) {
      throw new EngineError(
        'forbidden',
        `endpoint with name ${container.name} already exists in network ${network.name}`,
      );
    }
    // Between two runs of a restart policy there is no namespace to join with.
    if (container.state.pid !== 0) {
      const endpoint = await joinNetwork(daemon, container, settings);
      for (const own of ownNamesOf(container, endpoint)) await addOwnName(container.directory, own);
      await rewriteResolvConf(
        container.directory,
        container.hostConfig,
        networkView(daemon, container),
      );
    } else {
      saveSettings(container, network, settings);
    }
    await daemon.store.save(container);
  });
};

export const disconnectNetwork = async (
  daemon: Daemon,
  reference: string,
  { Container: who }: NetworkDisconnectBody,
): Promise<void> => {
  const network = daemon.networks.store.find(reference);
  const container = daemon.store.find(who);
  await container.exclusively(async () => {
    if (network.driver === 'host') {
      throw new EngineError(
        'invalid_argument',
        'container cannot be disconnected from host network or connected to host network',
      );
    }
    if (!networkOf(container).settings.some((each) => names(network, each))) {
      throw new EngineError(
        'invalid_argument',
        `container ${container.id} is not connected to network ${network.name}`,
      );
    }
    const endpoint = partFromNetwork(daemon, container, network);
    if (endpoint) {
      for (const { address } of ownNamesOf(container, endpoint)) {
        await removeOwnName(container.directory, address);
      }
      await rewriteResolvConf(
        container.directory,
        container.hostConfig,
        networkView(daemon, container),
      );
    }
    await daemon.store.save(container);
  });
};
