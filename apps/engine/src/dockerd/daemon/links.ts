/**
 * `--link` on the default bridge, where no name service is: the container gets variables that tell where the other one
 * is, and a line of its /etc/hosts. On networks of one's own a link is a name that the name service knows for this
 * container alone (network-settings.ts, endpoints.ts).
 * Upstream: moby daemon/links.go, daemon/links/links.go, opts/opts.go ParseLink.
 */
import type { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container, Link } from '../container/container.ts';
import { exposedPorts } from '../libnetwork/port-wishes.ts';
import { lenderIn } from '../oci/namespaces.ts';
import { changeHost } from '../oci/network-files.ts';
import type { Daemon } from './daemon.ts';
import { networkOf } from './container-network.ts';

const refuse = (sentence: string): never => {
  throw new EngineError('invalid_argument', sentence);
};

/** `name:alias`, or the name for both. `docker inspect` says `/name:/parent/alias`, which clients give back as it is. */
export const parseLink = (text: string): { readonly name: string; readonly alias: string } => {
  if (text === '') return refuse('empty string specified for links');
  const [name = '', alias = name, ...more] = text.split(':');
  if (more.length > 0) return refuse(`bad format for links: ${text}`);
  const short = name.replace(/^\//, '');
  return { name: short, alias: alias.slice(alias.lastIndexOf('/') + 1) };
};

/** Whom the links of a new container lead to; names may change, so it is kept by id. */
export const legacyLinks = (daemon: Daemon, { Links, NetworkMode }: HostConfig): Link[] => {
  for (const text of Links) parseLink(text);
  if (NetworkMode !== 'bridge') return [];
  return Links.map((text) => {
    const { name, alias } = parseLink(text);
    const child = ownerOfNetwork(daemon, name);
    if (child.hostConfig.NetworkMode === 'host') {
      refuse(
        "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
      );
    }
    return { childId: child.id, childName: child.name, alias };
  });
};

const ownerOfNetwork = (daemon: Daemon, name: string): Container => {
  try {
    let child = daemon.store.find(name);
    for (
      let lender = lenderIn(child.hostConfig.NetworkMode);
      lender !== null;
      lender = lenderIn(child.hostConfig.NetworkMode)
    ) {
      child = daemon.store.find(lender);
    }
    return child;
  } catch (error) {
    // Not `not_found`: the client would take it for a missing image and pull.
    throw new EngineError(
      'invalid_argument',
      `could not get container for ${name}: ${messageOf(error)}`,
      { cause: error },
    );
  }
};

interface Linked {
  readonly alias: string;
  readonly child: Container;
}

/** As `docker inspect` says it. */
export const linkAnswer = (daemon: Daemon, parent: Container): readonly string[] | null => {
  const links = (parent.record.links ?? []).map(({ alias, childId, childName }) => {
    const name = daemon.store.byId(childId)?.name ?? childName;
    return `/${name}:/${parent.name}/${alias}`;
  });
  return links.length > 0 ? links.sort() : null;
};

/** The names that containers have given to others: id → `/parent/alias`. */
export const linkNames = (containers: readonly Container[]): ReadonlyMap<string, string[]> => {
  const names = new Map<string, string[]>();
  for (const { name, record } of containers) {
    for (const { childId, alias } of record.links ?? []) {
      const path = `/${name}/${alias}`;
      names.set(childId, [...(names.get(childId) ?? []), path].sort());
    }
  }
  return names;
};

/** `docker rm --link parent/alias`: both containers stay. */
export const removeLink = async (daemon: Daemon, reference: string): Promise<void> => {
  const { id } = daemon.store.find(reference);
  const [name = '', alias] = reference.replace(/^\//, '').split('/');
  if (alias === undefined) {
    return refuse('Conflict, cannot remove the default link name of the container');
  }
  const parent = daemon.store.find(name);
  await parent.exclusively(async () => {
    const links = (parent.record.links ?? []).filter(
      (link) => link.alias !== alias || link.childId !== id,
    );
    await daemon.store.update(parent, { links });
    if (isRunning(parent.state)) await changeHost(parent.directory, alias, null);
  });
};

const addressOn = (container: Container): string | undefined =>
  networkOf(container).endpoints.find(({ networkName }) => networkName === 'bridge')?.address;

/** What a line of /etc/hosts says of it: its alias, its host name, and its name unless that is the alias. */
const hostNames = ({ alias, child }: Linked): string =>
  [alias, child.record.config.Hostname, ...(alias === child.name ? [] : [child.name])].join(' ');

export const linkHosts = (daemon: Daemon, parent: Container): string[] =>
  (parent.record.links ?? []).flatMap(({ alias, childId }) => {
    const child = daemon.store.byId(childId);
    const address = child ? addressOn(child) : undefined;
    return !child || address === undefined ? [] : [`${address}\t${hostNames({ alias, child })}`];
  });

/** Throws when one that it leads to does not run, or is not on the default bridge. */
export const linkEnvironment = (daemon: Daemon, parent: Container): string[] =>
  (parent.record.links ?? []).flatMap(({ alias, childId, childName }) => {
    const path = `/${parent.name}/${alias}`;
    const child = daemon.store.byId(childId);
    if (!child || !isRunning(child.state)) {
      throw new EngineError(
        'internal',
        `Cannot link to a non running container: /${child?.name ?? childName} AS ${path}`,
      );
    }
    const address = addressOn(child);
    if (address === undefined) {
      throw new EngineError(
        'internal',
        `Cannot link to /${child.name}, as it does not belong to the default network`,
      );
    }
    return variablesFor({ alias, path, address, child });
  });

interface Port {
  readonly containerPort: number;
  readonly protocol: string;
}

const byNumber = (left: Port, right: Port): number =>
  left.containerPort - right.containerPort || (left.protocol === 'tcp' ? -1 : 1);

/** From `index` on, the last of the ports that follow one another without a gap. */
const lastOfRange = (ports: readonly Port[], index: number): number => {
  let last = index;
  while ((ports[last + 1]?.containerPort ?? Infinity) <= (ports[last]?.containerPort ?? 0) + 1) {
    last += 1;
  }
  return last;
};

/** Variables of the image's own making, which say nothing of the container. */
const HIDDEN = ['HOME', 'PATH'];

const variablesFor = ({
  alias,
  path,
  address,
  child,
}: Linked & { readonly path: string; readonly address: string }): string[] => {
  const prefix = alias.toUpperCase().replaceAll('-', '_');
  const { config } = child.record;
  const ports = exposedPorts(config.ExposedPorts).sort(byNumber);
  const key = ({ containerPort, protocol }: Port): string =>
    `${prefix}_PORT_${containerPort}_${protocol.toUpperCase()}`;
  const url = ({ containerPort, protocol }: Port): string =>
    `${protocol}://${address}:${containerPort}`;
  const [first] = ports;
  const ranges: string[] = [];
  for (let at = 0; at < ports.length; at += 1) {
    const last = lastOfRange(ports, at);
    const [from, to] = [ports[at], ports[last]];
    // Two alone are no range.
    if (!from || !to || last <= at + 1) continue;
    ranges.push(
      `${key(from)}_START=${url(from)}`,
      `${key(from)}_ADDR=${address}`,
      `${key(from)}_PROTO=${from.protocol}`,
      `${key(from)}_PORT_START=${from.containerPort}`,
      // Named after the first as well.
      `${key(from)}_END=${url(to)}`,
      `${key(from)}_PORT_END=${to.containerPort}`,
    );
    at = last;
  }
  return [
    ...(first ? [`${prefix}_PORT=${url(first)}`] : []),
    ...ranges,
    ...ports.flatMap((port) => [
      `${key(port)}=${url(port)}`,
      `${key(port)}_ADDR=${address}`,
      `${key(port)}_PORT=${port.containerPort}`,
      `${key(port)}_PROTO=${port.protocol}`,
    ]),
    `${prefix}_NAME=${path}`,
    ...config.Env.filter(
      (variable) => variable.includes('=') && !HIDDEN.includes(variable.split('=', 1)[0] ?? ''),
    ).map((variable) => `${prefix}_ENV_${variable}`),
  ];
};

/** It has started again, maybe with another address: those that lead to it are told, in their /etc/hosts. */
export const tellParents = async (daemon: Daemon, child: Container): Promise<void> => {
  const address = addressOn(child);
  if (address === undefined) return;
  for (const parent of daemon.store.list()) {
    if (!isRunning(parent.state)) continue;
    for (const { alias, childId } of parent.record.links ?? []) {
      if (childId !== child.id) continue;
      await changeHost(parent.directory, alias, `${address}\t${hostNames({ alias, child })}`);
    }
  }
};
