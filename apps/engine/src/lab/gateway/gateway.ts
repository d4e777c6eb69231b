/** The lab's own door: the page, the API beside it, and the WebSocket that carries the trace. Everything needs the token. */
import type { RequestHandler } from 'express';
import type { RoomService } from '../rooms/room-service.ts';
import type { TerminalService } from '../terminal/terminal-service.ts';
import { apiRoutes, type Backend } from './api-routes.ts';
import { Guard } from './guard.ts';
import { followerRoutes, presenterRoutes } from './room-routes.ts';
import { StreamHub } from './stream-hub.ts';
import { Upgrades } from './upgrades.ts';
import { WebServer, type WebServerOptions } from './web-server.ts';

export interface GatewayOptions extends WebServerOptions {
  readonly token: string | null;
  readonly backend: Backend;
  readonly rooms: RoomService;
  /** None where nobody may open one. */
  readonly terminals?: TerminalService;
}

export class Gateway {
  readonly #server: WebServer;
  readonly hub: StreamHub;

  constructor(options: GatewayOptions) {
    const { backend, rooms, terminals = null } = options;
    const guard = new Guard(options);
    this.hub = new StreamHub(backend);
    this.#server = new WebServer(options, {
      guard,
      upgrades: new Upgrades(guard, rooms, {
        hub: this.hub,
        terminals,
        maySee: (traceId, learner) => backend.store.maySee(traceId, learner.id),
      }),
      api: [
        followerRoutes(rooms),
        authenticateWith(guard),
        presenterRoutes(rooms),
        apiRoutes(backend),
      ],
      page: (request, response, next) => {
        const cookie = guard.cookieFor(request);
        if (cookie !== null) response.append('Set-Cookie', cookie);
        next();
      },
    });
  }

  listen(): Promise<number> {
    return this.#server.listen();
  }

  async close(): Promise<void> {
    this.hub.close();
    await this.#server.close();
  }
}

const authenticateWith =
  (guard: Guard): RequestHandler =>
  (request, response, next) => {
    response.set('Cache-Control', 'no-store');
    const learner = guard.learnerOfRequest(request);
    if ('status' in learner) {
      response
        .status(learner.status)
        .set('WWW-Authenticate', 'Bearer')
        .json({ message: learner.message });
      return;
    }
    response.locals['learner'] = learner;
    next();
  };
