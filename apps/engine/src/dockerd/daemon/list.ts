/** `docker ps`. Upstream: moby daemon/list.go. */
import type { ContainerSummary } from '../../protocol/docker-engine-api/containers.ts';
import type { Filters } from '../../protocol/docker-engine-api/filters.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import { describeState, isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import type { Daemon } from './daemon.ts';
import { linkNames } from './links.ts';
import { mountAnswer } from './mounts.ts';
import { isOnNetwork, networksOf, portSummaries } from './network-settings.ts';

export interface ListOptions {
  readonly isAll: boolean;
  /** 0 for no bound. */
  readonly limit: number;
  readonly filters: Filters;
}

type Test = (container: Container, value: string, all: readonly Container[]) => boolean;

const byName = (all: readonly Container[], reference: string): Container | undefined =>
  all.find(({ id, name }) => name === reference || (reference !== '' && id.startsWith(reference)));

const TESTS: Readonly<Record<string, Test>> = {
  id: ({ id }, value) => id.startsWith(value),
  name: ({ name }, value) => `/${name}`.includes(value) || matches(value, `/${name}`),
  status: ({ state }, value) => state.status === value,
  exited: ({ state }, value) => state.status === 'exited' && String(state.exitCode) === value,
  ancestor: ({ record }, value) =>
    record.imageRef === value || record.imageId.replace('sha256:', '').startsWith(value),
  label: ({ record }, value) => {
    const equals = value.indexOf('=');
    const labels = record.config.Labels;
    return equals < 0
      ? value in labels
      : labels[value.slice(0, equals)] === value.slice(equals + 1);
  },
  since: ({ record }, value, all) => record.created > (byName(all, value)?.record.created ?? '~'),
  before: ({ record }, value, all) => record.created < (byName(all, value)?.record.created ?? ''),
  network: (container, value) => isOnNetwork(container, value),
  volume: ({ mountPoints }, value) =>
    mountPoints.some(({ name, destination }) => name === value || destination === value),
  health: ({ health }, value) => (health?.status ?? 'none') === value,
};

const matches = (pattern: string, text: string): boolean => {
  try {
    return new RegExp(pattern).test(text) || new RegExp(pattern).test(text.slice(1));
  } catch {
    return false;
  }
};

export const list = (
  daemon: Daemon,
  { isAll, limit, filters }: ListOptions,
): ContainerSummary[] => {
  for (const key of Object.keys(filters)) {
    if (!(key in TESTS)) throw new EngineError('invalid_argument', `invalid filter '${key}'`);
  }
  const all = daemon.store.list();
  // Whoever asks for a state or the last few means stopped ones too.
  const seesStopped = isAll || limit > 0 || 'status' in filters || 'exited' in filters;
  const found = all
    .filter((container) => seesStopped || isRunning(container.state))
    .filter((container) =>
      Object.entries(filters).every(([key, values]) =>
        // Labels must all be there; of the other filters' values one must fit.
        key === 'label'
          ? values.every((value) => TESTS['label']?.(container, value, all))
          : values.some((value) => TESTS[key]?.(container, value, all)),
      ),
    );
  const links = linkNames(all);
  return (limit > 0 ? found.slice(0, limit) : found).map((each) =>
    summary(daemon, each, links.get(each.id) ?? []),
  );
};

const quoted = (word: string): string => (/[\s"']/.test(word) ? `'${word}'` : word);

const summary = (
  daemon: Daemon,
  container: Container,
  linked: readonly string[],
): ContainerSummary => {
  const { id, name, record, state, hostConfig } = container;
  return {
    Id: id,
    Names: [`/${name}`, ...linked],
    Image: record.imageRef,
    ImageID: record.imageId,
    Command: [record.path, ...record.args.map(quoted)].join(' '),
    Created: Math.floor(Date.parse(record.created) / 1000),
    Ports: portSummaries(container),
    Labels: record.config.Labels,
    State: state.status,
    Status: describeState(state, Date.now(), container.health?.status ?? null),
    HostConfig: { NetworkMode: hostConfig.NetworkMode },
    NetworkSettings: { Networks: networksOf(daemon, container) },
    Mounts: container.mountPoints.map(mountAnswer),
  };
};
