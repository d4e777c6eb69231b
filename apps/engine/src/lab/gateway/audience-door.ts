/**
 * The door for an audience (`--audience`): rooms and the page, and nothing else, not even for who has the lab's token.
 * So the token never crosses the network of a class, and nothing that starts or breaks anything can be reached from it.
 */
import { networkInterfaces } from 'node:os';
import type { RoomService } from '../rooms/room-service.ts';
import { Guard, isLoopback } from './guard.ts';
import { followerRoutes } from './room-routes.ts';
import { Upgrades } from './upgrades.ts';
import { WebServer, type WebServerOptions } from './web-server.ts';

export interface AudienceOptions extends WebServerOptions {
  readonly rooms: RoomService;
  /** Where a reverse proxy with TLS answers for this door. */
  readonly publicUrl: URL | null;
}

export class AudienceDoor extends WebServer {
  constructor(options: AudienceOptions) {
    const guard = new Guard({ ...options, token: null });
    super(options, {
      guard,
      upgrades: new Upgrades(guard, options.rooms),
      api: [followerRoutes(options.rooms)],
      home: '/room',
    });
  }
}

/** Where phones find this door. */
export const addressOf = (
  { host, publicUrl }: Pick<AudienceOptions, 'host' | 'publicUrl'>,
  port: number,
): string => {
  if (publicUrl) return publicUrl.origin;
  const isAny = host === '0.0.0.0' || host === '::';
  const outside = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  const name = isAny ? (outside?.address ?? '127.0.0.1') : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
};

/** What is wrong with it, in words for the presenter; null when phones can come. */
export const reachOf = (host: string | null, publicUrl: URL | null): string | null => {
  if (host === null)
    return 'only this machine can follow: start with --audience 0.0.0.0:7080 to let phones in';
  return isLoopback(host) && !publicUrl
    ? 'the audience door listens on this machine only: give it an address of your network'
    : null;
};
