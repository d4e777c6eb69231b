/**
 * Ports of the host: who has which, and finding a free one.
 * Upstream: moby daemon/libnetwork/{portallocator,portmappers/nat}.
 */
import { readFileSync } from 'node:fs';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import type { PortWish } from './port-wishes.ts';
import { tcpProxy, udpProxy, type Proxy } from './userland-proxy.ts';

/** A port of the host that leads into a container: plain data, kept with the container. */
export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp';
  /** `0.0.0.0` and `::` are every address of their kind. */
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerIp: string;
  readonly containerPort: number;
}

/** Where the container is; a port of the host leads to the address of its own kind, where there is one. */
export interface ContainerAddresses {
  readonly ipv4: string;
  /** Empty for none. */
  readonly ipv6: string;
}

const WILDCARDS = ['0.0.0.0', '::'];

const clashes = (left: PublishedPort, right: PublishedPort): boolean =>
  left.protocol === right.protocol &&
  left.hostPort === right.hostPort &&
  left.hostIp.includes(':') === right.hostIp.includes(':') &&
  (left.hostIp === right.hostIp ||
    [left.hostIp, right.hostIp].some((ip) => WILDCARDS.includes(ip)));

const withPort = (ip: string, port: number): string =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;

/** ip(7), ip_local_port_range. */
const ephemeralRange = (): { readonly first: number; readonly last: number } => {
  try {
    const [first = 0, last = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
      .trim()
      .split(/\s+/)
      .map(Number);
    if (first > 0 && last > first) return { first, last };
  } catch {
    // Then the kernel's default.
  }
  return { first: 32768, last: 60999 };
};

const isNoSuchAddress = (error: unknown): boolean =>
  ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'].includes((error as { code?: string }).code ?? '');

export class PortMapper {
  readonly #open = new Map<PublishedPort, Proxy>();
  #next = 0;
  /** One port after the other: two containers that start together must not be given the same one. */
  #last: Promise<unknown> = Promise.resolve();

  /** All of them or none. */
  async publish(
    wishes: readonly PortWish[],
    addresses: ContainerAddresses,
    onConnection: (port: PublishedPort, from: string) => void,
  ): Promise<PublishedPort[]> {
    const published: PublishedPort[] = [];
    try {
      for (const wish of wishes) {
        published.push(...(await this.#take(wish, addresses, onConnection)));
      }
    } catch (error) {
      this.withdraw(published);
      throw error;
    }
    return published;
  }

  withdraw(ports: readonly PublishedPort[]): void {
    for (const port of ports) {
      this.#open.get(port)?.close();
      this.#open.delete(port);
    }
  }

  #take(
    wish: PortWish,
    addresses: ContainerAddresses,
    onConnection: (port: PublishedPort, from: string) => void,
  ): Promise<PublishedPort[]> {
    const result = this.#last.then(async () => {
      let failure = new EngineError('internal', 'no free port is left');
      for (const hostPort of this.#candidates(wish)) {
        try {
          return await this.#listen(wish, hostPort, addresses, onConnection);
        } catch (error) {
          failure = error instanceof EngineError ? error : failure;
        }
      }
      throw failure;
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  *#candidates({ hostPorts }: PortWish): Iterable<number> {
    if (hostPorts) {
      for (let port = hostPorts.first; port <= hostPorts.last; port += 1) yield port;
      return;
    }
    const { first, last } = ephemeralRange();
    const count = last - first + 1;
    for (let i = 0; i < count; i += 1) {
      const port = first + (this.#next % count);
      this.#next += 1;
      yield port;
    }
  }

  /** On every address that the wish means, or on none. */
  async #listen(
    { protocol, containerPort, hostIp }: PortWish,
    hostPort: number,
    addresses: ContainerAddresses,
    onConnection: (port: PublishedPort, from: string) => void,
  ): Promise<PublishedPort[]> {
    const made: PublishedPort[] = [];
    try {
      for (const ip of hostIp === '' ? WILDCARDS : [hostIp]) {
        const containerIp = (ip.includes(':') && addresses.ipv6) || addresses.ipv4;
        const port = { protocol, hostIp: ip, hostPort, containerIp, containerPort };
        if ([...this.#open.keys()].some((other) => clashes(other, port))) {
          throw new EngineError(
            'internal',
            `Bind for ${withPort(ip, hostPort)} failed: port is already allocated`,
          );
        }
        try {
          this.#open.set(
            port,
            await (protocol === 'tcp'
              ? tcpProxy(port, (from) => onConnection(port, from))
              : udpProxy(port)),
          );
          made.push(port);
        } catch (error) {
          // A host without IPv6 has one address less; nobody asked for that one by name.
          if (hostIp === '' && ip === '::' && isNoSuchAddress(error)) continue;
          throw new EngineError(
            'internal',
            `failed to bind host port for ${withPort(ip, hostPort)}:${containerIp}:${containerPort}/${protocol}: ${bindWords(error)}`,
            { cause: error },
          );
        }
      }
    } catch (error) {
      this.withdraw(made);
      throw error;
    }
    return made;
  }
}

const bindWords = (error: unknown): string => {
  const words: Readonly<Record<string, string>> = {
    EADDRINUSE: 'address already in use',
    EADDRNOTAVAIL: 'cannot assign requested address',
    EACCES: 'permission denied',
  };
  return words[(error as { code?: string }).code ?? ''] ?? messageOf(error);
};
