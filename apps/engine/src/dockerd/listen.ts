/**
 * Opens what `-H` asks for. Whoever reaches the API is root on this machine, so TCP without TLS comes with Docker's
 * warnings. Upstream: moby daemon/command/daemon.go loadListeners.
 */
import type { Server } from 'node:http';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { listenOnSocket } from '../transport/unix-socket.ts';
import { hostText, isLoopback, type ListenAddress } from './listen-address.ts';

/** How the API is protected where it is offered over TCP. */
export interface TcpProtection {
  readonly hasTls: boolean;
  readonly verifiesClients: boolean;
  /** `--tls=false` or `--tlsverify=false`: the user knows. */
  readonly isChosen: boolean;
}

/** What is said at the start, a line each. */
export const listenWarnings = (address: ListenAddress, protection: TcpProtection): string[] => {
  if (address.kind !== 'tcp' || (protection.hasTls && protection.verifiesClients)) return [];
  const host = hostText(address);
  return [
    'Binding to IP address without --tlsverify is insecure and gives root access on this machine to everyone who has access to your network.',
    'Binding to an IP address, even on localhost, can also give access to scripts run in a browser. Be safe out there!',
    ...(protection.isChosen || isLoopback(address)
      ? []
      : [
          'Please consider generating tls certificates with client validation to prevent exposing unauthenticated root access to your network',
        ]),
  ].map((sentence) => `WARNING: ${host}: ${sentence}`);
};

const ATTACK_SURFACE = `
         Access to the remote API is equivalent to root access on the host. Refer
         to the 'Docker daemon attack surface' section in the documentation for
         more information: https://docs.docker.com/go/attack-surface/`;

/** What `docker info` says for as long as it is so. */
export const accessWarnings = (
  addresses: readonly ListenAddress[],
  { hasTls, verifiesClients }: Pick<TcpProtection, 'hasTls' | 'verifiesClients'>,
): string[] =>
  addresses
    .filter(({ kind }) => kind === 'tcp')
    .map((address) => hostText(address).replace('tcp://', ''))
    .flatMap((place) => {
      if (!hasTls) {
        return [
          `WARNING: API is accessible on http://${place} without encryption.${ATTACK_SURFACE}`,
        ];
      }
      return verifiesClients
        ? []
        : [
            `WARNING: API is accessible on https://${place} without TLS client verification.${ATTACK_SURFACE}`,
          ];
    });

/** Answers the address as it is: port 0 has become one. */
export const listen = async (server: Server, address: ListenAddress): Promise<ListenAddress> => {
  if (address.kind === 'unix') {
    await listenOnSocket(server, address.path);
    return address;
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new EngineError('conflict', `listen ${hostText(address)}: ${messageOf(error)}`, {
          cause: error,
        }),
      );
    });
    server.listen({ host: address.host, port: address.port }, resolve);
  });
  const bound = server.address();
  return bound && typeof bound === 'object' ? { ...address, port: bound.port } : address;
};
