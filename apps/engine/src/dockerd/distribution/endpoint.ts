/**
 * Where a registry is and how far it is trusted: TLS everywhere, and plain HTTP only where the owner of the machine
 * allowed it or on loopback. Upstream: moby daemon/pkg/registry/{config,service_v2}.go.
 */
import { lookup } from 'node:dns/promises';
import { readdir, readFile } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { join } from 'node:path';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Trust } from './registry-http.ts';

export interface RegistryOptions {
  /** `--insecure-registry`: a host, a host with port, or a network. */
  readonly insecureRegistries: readonly string[];
  /** Below it `HOST/*.crt` are authorities for one registry. */
  readonly certificates: string;
}

export interface Endpoint {
  readonly url: URL;
  readonly trust: Trust;
}

const HUB = 'https://registry-1.docker.io';
export const LOOPBACK = '127.0.0.0/8';

const splitNetwork = (network: string): readonly [address: string, prefix: number] | null => {
  const [address = '', prefix = ''] = network.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  return isIP(address) !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= most
    ? [address, Number(prefix)]
    : null;
};

export const checkInsecureRegistry = (text: string): string => {
  const isHost = /^[A-Za-z0-9.[\]:-]+$/.test(text) && !text.includes('://');
  if (splitNetwork(text) || isHost) return text;
  throw new EngineError('invalid_argument', `insecure registry ${text} is not valid`);
};

const isInsecure = async (
  host: string,
  { insecureRegistries }: RegistryOptions,
): Promise<boolean> => {
  if (insecureRegistries.includes(host)) return true;
  const { hostname } = new URL(`http://${host}`);
  if (insecureRegistries.includes(hostname)) return true;
  const networks = new BlockList();
  for (const network of [LOOPBACK, ...insecureRegistries]) {
    const parts = splitNetwork(network);
    if (parts) networks.addSubnet(...parts, isIP(parts[0]) === 6 ? 'ipv6' : 'ipv4');
  }
  const name = hostname.replace(/^\[|\]$/g, '');
  // A host that cannot be found is reported by whoever connects to it.
  const addresses = isIP(name)
    ? [{ address: name, family: isIP(name) }]
    : await lookup(name, { all: true }).catch(() => []);
  return addresses.some(({ address, family }) =>
    networks.check(address, family === 6 ? 'ipv6' : 'ipv4'),
  );
};

const authorities = async (host: string, folder: string): Promise<string[]> => {
  const place = join(folder, host);
  const names = await readdir(place).catch(() => []);
  return Promise.all(
    names
      .filter((name) => name.endsWith('.crt'))
      .map((name) => readFile(join(place, name), 'utf8')),
  );
};

/** In the order in which they are tried. */
export const endpointsOf = async (host: string, options: RegistryOptions): Promise<Endpoint[]> => {
  if (host === 'docker.io') return [{ url: new URL(HUB), trust: { isInsecure: false } }];
  const ca = await authorities(host, options.certificates);
  const insecure = await isInsecure(host, options);
  const trust: Trust = { isInsecure: insecure, ...(ca.length > 0 ? { ca } : {}) };
  const secure = { url: new URL(`https://${host}`), trust };
  return insecure ? [secure, { url: new URL(`http://${host}`), trust }] : [secure];
};
