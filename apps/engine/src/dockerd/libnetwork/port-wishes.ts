/**
 * `-p`, `-P` and EXPOSE: which ports of the container shall be reached at which ports of the host.
 * Upstream: github.com/docker/go-connections/nat, moby daemon/network.go.
 */
import { isIP } from 'node:net';
import * as z from 'zod';
import { EngineError } from '../../protocol/errdefs.ts';

export interface PortWish {
  readonly protocol: 'tcp' | 'udp';
  readonly containerPort: number;
  /** Empty for every address of the host. */
  readonly hostIp: string;
  /** The ports to choose from; null for any that is free. */
  readonly hostPorts: { readonly first: number; readonly last: number } | null;
}

const Bindings = z
  .array(
    z.object({
      HostIp: z.string().nullish(),
      HostPort: z.string().nullish(),
    }),
  )
  .nullish();

const PORT = /^(\d{1,5})(?:-(\d{1,5}))?$/;
const MOST = 65535;

const invalid = (text: string): never => {
  throw new EngineError('invalid_argument', `invalid port specification: "${text}"`);
};

const range = (text: string, whole = text): { readonly first: number; readonly last: number } => {
  const [, from = '', to = from] = PORT.exec(text) ?? [];
  const first = Number(from);
  const last = Number(to);
  return from === '' || last < first || last > MOST ? invalid(whole) : { first, last };
};

/** `80/tcp`; without a protocol it is tcp. */
const containerPort = (key: string): Pick<PortWish, 'protocol' | 'containerPort'> => {
  const [port = '', protocol = 'tcp'] = key.split('/');
  const { first, last } = range(port, key);
  if (first !== last || first === 0) invalid(key);
  if (protocol === 'sctp') {
    throw new EngineError('invalid_argument', 'sctp ports are not supported by this daemon yet');
  }
  if (protocol !== 'tcp' && protocol !== 'udp') {
    throw new EngineError('invalid_argument', `invalid proto: ${protocol}`);
  }
  return { protocol, containerPort: first };
};

/** `8080`, `8000-8010`, or nothing. */
const hostPorts = (text: string): PortWish['hostPorts'] => {
  if (text === '' || text === '0') return null;
  const found = range(text.replace(/\/(tcp|udp|sctp)$/, ''), text);
  return found.first === 0 ? invalid(text) : found;
};

export const portWishes = (
  exposed: Readonly<Record<string, unknown>>,
  host: {
    readonly PortBindings: Readonly<Record<string, unknown>>;
    readonly PublishAllPorts: boolean;
  },
): PortWish[] => {
  const wishes = Object.entries(host.PortBindings).flatMap(([key, given]) => {
    const port = containerPort(key);
    const parsed = Bindings.safeParse(given);
    const bindings = parsed.success ? (parsed.data ?? []) : invalid(key);
    return bindings.map(({ HostIp, HostPort }): PortWish => {
      const hostIp = HostIp ?? '';
      if (hostIp !== '' && isIP(hostIp) === 0) {
        throw new EngineError('invalid_argument', `invalid IP address: ${hostIp}`);
      }
      return { ...port, hostIp, hostPorts: hostPorts(HostPort ?? '') };
    });
  });
  const isBound = (key: string): boolean => {
    const { protocol, containerPort: port } = containerPort(key);
    return wishes.some((wish) => wish.protocol === protocol && wish.containerPort === port);
  };
  const open = Object.keys(exposed)
    .filter((key) => host.PublishAllPorts && !isBound(key))
    .map((key): PortWish => ({ ...containerPort(key), hostIp: '', hostPorts: null }));
  return [...wishes, ...open];
};

/** Every port that the container names, published or not: `docker ps` shows them all. */
export const exposedPorts = (
  exposed: Readonly<Record<string, unknown>>,
): Pick<PortWish, 'protocol' | 'containerPort'>[] => Object.keys(exposed).map(containerPort);
