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
import type { Daemon } from './daemon.ts';
import {
  joinNetwork,
  names,
  networkOf,
  networkView,
  ownNameOf,
  partFromNetwork,
  saveSettings,
  tellNetwork,
} from './endpoints.ts';
import { newBridge } from './network-create.ts';
import { CONTAINER_PREFIX } from './network-mode.ts';
import { settingsFor } from './network-settings.ts';

const ipamOf = ({ subnet, gateway, ipRange, auxiliary }: Network): NetworkAnswer['IPAM'] => ({
  Driver: 'default',
  Options: null,
  Config:
    subnet === ''
      ? null
      : [
          {
            Subnet: subnet,
            ...(ipRange === '' ? {} : { IPRange: ipRange }),
            Gateway: gateway,
            ...(Object.keys(auxiliary).length > 0 ? { AuxiliaryAddresses: auxiliary } : {}),
          },
        ],
});

const answer = (network: Network, containers: NetworkAnswer['Containers']): NetworkAnswer => ({
  Name: network.name,
  Id: network.id,
  Created: network.created,
  Scope: 'local',
  Driver: network.driver,
  EnableIPv4: true,
  EnableIPv6: false,
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

const hasLabel = ({ labels }: Network, label: string): boolean => {
  const equals = label.indexOf('=');
  return equals < 0 ? label in labels : labels[label.slice(0, equals)] === label.slice(equals + 1);
};

const yes = (key: string, values: readonly string[]): boolean => {
  const [value = ''] = values;
  if (['1', 'true'].includes(value)) return true;
  if (['0', 'false'].includes(value)) return false;
  throw new EngineError('invalid_argument', `invalid filter '${key}=[${values.join(' ')}]'`);
};

/** Containers count by their settings too: a stopped one wants its network back. */
const isUsed = (daemon: Daemon, network: Network): boolean =>
  daemon.networks.membersOf(network.id).length > 0 ||
  daemon.store
    .list()
    .some((container) => networkOf(container).settings.some((each) => names(network, each)));

type Test = (daemon: Daemon, network: Network, values: readonly string[]) => boolean;

const LIST_TESTS: Readonly<Record<string, Test>> = {
  dangling: (daemon, network, values) =>
    (!isPredefined(network) && !isUsed(daemon, network)) === yes('dangling', values),
  driver: (_, { driver }, values) => values.includes(driver),
  id: (_, { id }, values) => values.some((part) => id.includes(part)),
  label: (_, network, values) => values.every((label) => hasLabel(network, label)),
  name: (_, { name }, values) => values.some((part) => name.includes(part)),
  scope: (_, __, values) => values.includes('local'),
  type: (_, network, values) => values.includes(isPredefined(network) ? 'builtin' : 'custom'),
};

const PRUNE_TESTS: Readonly<Record<string, Test>> = {
  label: (_, network, values) => values.every((label) => hasLabel(network, label)),
  'label!': (_, network, values) => !values.some((label) => hasLabel(network, label)),
  until: (_, { created }, values) => Date.parse(created) < instant(values[0] ?? '') * 1000,
};

const SECONDS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };

/** Seconds since 1970, RFC 3339, or a duration back from now: `1h30m`. */
const instant = (text: string): number => {
  if (/^(\d+(\.\d+)?[hms])+$/.test(text)) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([hms])/g)];
    const back = parts.reduce(
      (sum, [, n, unit]) => sum + Number(n) * (SECONDS[unit ?? ''] ?? 0),
      0,
    );
    return Date.now() / 1000 - back;
  }
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  if (Number.isFinite(seconds)) return seconds;
  throw new EngineError('invalid_argument', `invalid filter 'until=${text}'`);
};

const select = (
  daemon: Daemon,
  tests: Readonly<Record<string, Test>>,
  filters: Filters,
): Network[] => {
  for (const key of Object.keys(filters)) {
    if (!Object.hasOwn(tests, key)) {
      throw new EngineError('invalid_argument', `invalid filter '${key}'`);
    }
  }
  return daemon.networks.store
    .list()
    .filter((network) =>
      Object.entries(filters).every(([key, values]) => tests[key]?.(daemon, network, values)),
    );
};

export const listNetworks = (daemon: Daemon, filters: Filters): NetworkAnswer[] =>
  select(daemon, LIST_TESTS, filters).map((network) => answer(network, {}));

export const inspectNetwork = (daemon: Daemon, reference: string): NetworkAnswer => {
  const network = daemon.networks.store.find(reference);
  const members = daemon.networks.membersOf(network.id).map(({ member, endpoint }) => [
    member.containerId,
    {
      Name: daemon.store.byId(member.containerId)?.name ?? '',
      EndpointID: endpoint.id,
      MacAddress: endpoint.mac,
      IPv4Address: `${endpoint.address}/${endpoint.prefix}`,
      IPv6Address: '',
    },
  ]);
  return answer(network, Object.fromEntries(members) as NetworkAnswer['Containers']);
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
  const unused = select(daemon, PRUNE_TESTS, filters).filter(
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
      await addOwnName(container.directory, ownNameOf(container, endpoint));
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
      await removeOwnName(container.directory, endpoint.address);
      await rewriteResolvConf(
        container.directory,
        container.hostConfig,
        networkView(daemon, container),
      );
    }
    await daemon.store.save(container);
  });
};
