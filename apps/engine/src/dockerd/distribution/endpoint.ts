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
  /** `--registry-mirror`: asked for images of Docker Hub before it is. */
  readonly mirrors: readonly string[];
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

/** A mirror is a whole registry, without a way into it. Upstream: moby daemon/pkg/registry ValidateMirror. */
export const checkMirror = (text: string): string => {
  const url = URL.canParse(text) ? new URL(text) : null;
  const complain = (why: string): EngineError =>
    new EngineError('invalid_argument', `invalid mirror: ${why} in "${text}"`);
  if (!url) throw complain('no URL');
  if (!/^https?:$/.test(url.protocol)) throw complain('unsupported scheme');
  if (url.username !== '' || url.password !== '') throw complain('username or password');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw complain('path, query, or fragment');
  return url.href;
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

const trustOf = async (host: string, options: RegistryOptions): Promise<Trust> => {
  const ca = await authorities(host, options.certificates);
  return { isInsecure: await isInsecure(host, options), ...(ca.length > 0 ? { ca } : {}) };
};

/** In the order in which they are tried. Only Docker Hub is mirrored. */
export const mirrorsOf = (host: string, options: RegistryOptions): Promise<Endpoint[]> =>
  Promise.all(
    (host === 'docker.io' ? options.mirrors : []).map(async (mirror) => {
      const url = new URL(mirror);
      return { url, trust: await trustOf(url.host, options) };
    }),
  );

/** In the order in which they are tried. */
export const endpointsOf = async (host: string, options: RegistryOptions): Promise<Endpoint[]> => {
  if (host === 'docker.io') return [{ url: new URL(HUB), trust: { isInsecure: false } }];
  const trust = await trustOf(host, options);
  const secure = { url: new URL(`https://${host}`), trust };
  return trust.isInsecure ? [secure, { url: new URL(`http://${host}`), trust }] : [secure];
};
