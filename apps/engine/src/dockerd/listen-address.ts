/**
 * `-H`: where the API is offered. Docker's forms: unix:///path, tcp://host:port.
 * Upstream: moby daemon/command/daemon.go loadListeners, opts/hosts.go.
 */
import { EngineError } from '../protocol/errdefs.ts';

export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** IANA's `docker` and `docker-s`. */
const PORT = 2375;
const TLS_PORT = 2376;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

export const hostText = (address: ListenAddress): string => {
  if (address.kind === 'unix') return `unix://${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `tcp://${host}:${address.port}`;
};

export const parseListenAddress = (
  text: string,
  { hasTls }: { readonly hasTls: boolean },
): ListenAddress => {
  const refuse = (why: string): never => {
    throw new EngineError('invalid_argument', `--host ${text}: ${why}`);
  };
  const [, kind = '', rest = ''] = /^(\w+):\/\/(.*)$/.exec(text) ?? [];
  if (kind === 'unix') {
    if (rest.startsWith('/') && !rest.includes('\0')) return { kind, path: rest };
    return refuse(`it wants an absolute path, not "${rest}"`);
  }
  if (kind !== 'tcp') return refuse('this daemon listens on unix:///path and tcp://host:port only');
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:/[\]]*))(?::(\d+))?$/.exec(rest) ?? [];
  if (bracketed === undefined && plain === undefined) {
    return refuse('it wants tcp://host:port, and brackets around an IPv6 address');
  }
  const port = digits === undefined ? (hasTls ? TLS_PORT : PORT) : Number(digits);
  if (port > 65535) return refuse(`invalid port "${digits ?? ''}"`);
  return { kind, host: bracketed ?? (plain || '0.0.0.0'), port };
};

export const isLoopback = ({ host }: { readonly host: string }): boolean => LOOPBACK.test(host);
