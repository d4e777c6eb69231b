/**
 * /etc/hosts, /etc/hostname and /etc/resolv.conf of a container: files of the host, bind-mounted into it,
 * so that the read-only image need not know its name. Upstream: moby daemon/libnetwork/{etchosts,resolvconf}.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { appendFile, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerConfig, HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import { RESOLVER_ADDRESS } from '../libnetwork/resolver.ts';
import type { ManagedFiles } from './mounts.ts';

const HOSTS_LIMIT_BYTES = 1 << 20;

const LOCALHOST = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/** `--add-host name:address`. The address may be IPv6, so only the first colon counts. */
const extraHost = (text: string): string => {
  const [, name, address] = /^([^:=]+)[:=](.+)$/.exec(text) ?? [];
  if (!name || !address) {
    throw new EngineError('invalid_argument', `bad format for add-host: "${text}"`);
  }
  return `${address.replace(/^\[(.*)\]$/, '$1')}\t${name}`;
};

/** Its own name leads to the container itself, in each of its networks. */
export interface OwnName {
  readonly address: string;
  readonly name: string;
}

/** What dockerd knows of the container's networks when it writes the files. */
export interface NetworkView {
  readonly own: readonly OwnName[];
  /** Lines of /etc/hosts for those that `--link` leads to. */
  readonly links: readonly string[];
  /** What `host-gateway` in --add-host stands for; empty where the host has no address of ours. */
  readonly hostGateway: string;
  readonly names: 'none' | 'host' | 'resolver';
}

export const ownNameLine = ({ address, name }: OwnName): string => `${address}\t${name}`;

export const hostsFile = (
  host: HostConfig,
  { own, links, hostGateway }: Omit<NetworkView, 'names'>,
): string => {
  const extra = host.ExtraHosts.map((text) =>
    extraHost(hostGateway === '' ? text : text.replace(/host-gateway$/, hostGateway)),
  );
  return `${[...LOCALHOST, ...extra, ...links, ...own.map(ownNameLine)].join('\n')}\n`;
};

const word = (line: string): readonly string[] => line.trim().split(/\s+/);

export const nameservers = (resolvConf: string): string[] =>
  resolvConf
    .split('\n')
    .map(word)
    .flatMap(([key, server]) => (key === 'nameserver' && server ? [server] : []));

/** Google's, as in Docker: better than none. */
const LAST_RESORT = ['8.8.8.8', '8.8.4.4'];

const isOfTheHostAlone = (server: string): boolean => server.startsWith('127.') || server === '::1';

/** A server on the host's loopback is not there in the container's. */
const reachable = (file: string): string => {
  const kept = file
    .split('\n')
    .filter((line) => word(line)[0] !== 'nameserver' || !isOfTheHostAlone(word(line)[1] ?? ''));
  if (nameservers(kept.join('\n')).length > 0) return kept.join('\n');
  return [...LAST_RESORT.map((server) => `nameserver ${server}`), ...kept].join('\n');
};

/** dockerd's own server takes the place of all others, and asks them. */
const throughResolver = (file: string): string => {
  const kept = file.split('\n').filter((line) => {
    const [key = ''] = word(line);
    return key !== '' && key !== 'nameserver' && key !== 'options';
  });
  const options = file
    .split('\n')
    .map(word)
    .flatMap(([key, ...values]) => (key === 'options' ? values : []))
    .filter((option) => !option.startsWith('ndots:'));
  return `${[`nameserver ${RESOLVER_ADDRESS}`, ...kept, `options ${[...options, 'ndots:0'].join(' ')}`].join('\n')}\n`;
};

/** The host's own file, unless the user named servers. */
export const resolvConfFile = (host: HostConfig, ofTheHost: string): string => {
  if (host.Dns.length + host.DnsSearch.length + host.DnsOptions.length === 0) return ofTheHost;
  const kept = ofTheHost.split('\n').filter((line) => {
    const [word] = line.trim().split(/\s+/);
    if (word === 'nameserver') return host.Dns.length === 0;
    if (word === 'search' || word === 'domain') return host.DnsSearch.length === 0;
    if (word === 'options') return host.DnsOptions.length === 0;
    return word !== '';
  });
  const given = [
    ...host.Dns.map((server) => `nameserver ${server}`),
    ...(host.DnsSearch.length > 0 ? [`search ${host.DnsSearch.join(' ')}`] : []),
    ...(host.DnsOptions.length > 0 ? [`options ${host.DnsOptions.join(' ')}`] : []),
  ];
  return `${[...kept, ...given].join('\n')}\n`;
};

const resolvConfFor = (host: HostConfig, ofTheHost: string, { names }: NetworkView): string => {
  const file = resolvConfFile(host, ofTheHost);
  if (names === 'resolver') return throughResolver(file);
  return names === 'host' && host.Dns.length === 0 ? reachable(file) : file;
};

/** The files of a container, where they lie on the host. */
export const networkFilesIn = (directory: string): ManagedFiles => ({
  hosts: join(directory, 'hosts'),
  hostname: join(directory, 'hostname'),
  resolvConf: join(directory, 'resolv.conf'),
});

/** Written in place: the container sees this very file, and not what a rename would put beside it. */
export const addOwnName = async (directory: string, own: OwnName): Promise<void> =>
  appendFile(networkFilesIn(directory).hosts, `${ownNameLine(own)}\n`);

export const removeOwnName = (directory: string, address: string): Promise<void> =>
  changeLines(directory, (line) => (word(line)[0] === address ? [] : [line]));

/** Of a container that `--link` leads to: it has another address now, or the link has gone. */
export const changeHost = (directory: string, alias: string, line: string | null): Promise<void> =>
  changeLines(directory, (each) =>
    word(each)[1] !== alias ? [each] : line === null ? [] : [line],
  );

/** The container may write what it likes into its /etc/hosts: bytes stay bytes, and one that it made huge is left to it. */
const changeLines = async (
  directory: string,
  change: (line: string) => readonly string[],
): Promise<void> => {
  const handle = await open(networkFilesIn(directory).hosts, 'r+');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HOSTS_LIMIT_BYTES + 1), 0);
    if (bytesRead > HOSTS_LIMIT_BYTES) return;
    const lines = buffer.toString('latin1', 0, bytesRead).split('\n');
    const changed = Buffer.from(lines.flatMap(change).join('\n'), 'latin1');
    await handle.truncate(0);
    await handle.write(changed, 0, changed.length, 0);
  } finally {
    await handle.close();
  }
};

/** A network with a name service came or went. */
export const rewriteResolvConf = async (
  directory: string,
  host: HostConfig,
  view: NetworkView,
): Promise<void> => {
  await writeFile(
    networkFilesIn(directory).resolvConf,
    resolvConfFor(host, hostResolvConf(), view),
  );
};

/** A few bytes, for which a start waits: without the event loop, as in container-store.ts. */
export const writeNetworkFiles = (
  directory: string,
  config: ContainerConfig,
  host: HostConfig,
  view: NetworkView,
): ManagedFiles => {
  const files = networkFilesIn(directory);
  writeFileSync(files.hosts, hostsFile(host, view), { mode: 0o644 });
  writeFileSync(files.hostname, `${config.Hostname}\n`, { mode: 0o644 });
  writeFileSync(files.resolvConf, resolvConfFor(host, hostResolvConf(), view), { mode: 0o644 });
  return files;
};

const hostResolvConf = (): string => {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    return '';
  }
};
