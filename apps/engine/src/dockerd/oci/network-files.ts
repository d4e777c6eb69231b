/**
 * /etc/hosts, /etc/hostname and /etc/resolv.conf of a container: files of the host, bind-mounted into it,
 * so that the read-only image need not know its name. Upstream: moby daemon/libnetwork/{etchosts,resolvconf}.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerConfig, HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import type { ManagedFiles } from './mounts.ts';

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

export const hostsFile = (host: HostConfig): string =>
  `${[...LOCALHOST, ...host.ExtraHosts.map(extraHost)].join('\n')}\n`;

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

/** The files of a container, where they lie on the host. */
export const networkFilesIn = (directory: string): ManagedFiles => ({
  hosts: join(directory, 'hosts'),
  hostname: join(directory, 'hostname'),
  resolvConf: join(directory, 'resolv.conf'),
});

export const writeNetworkFiles = async (
  directory: string,
  config: ContainerConfig,
  host: HostConfig,
): Promise<ManagedFiles> => {
  const files = networkFilesIn(directory);
  const ofTheHost = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  await Promise.all([
    writeFile(files.hosts, hostsFile(host), { mode: 0o644 }),
    writeFile(files.hostname, `${config.Hostname}\n`, { mode: 0o644 }),
    writeFile(files.resolvConf, resolvConfFile(host, ofTheHost), { mode: 0o644 }),
  ]);
  return files;
};
