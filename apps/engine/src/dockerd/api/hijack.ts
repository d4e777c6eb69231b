/**
 * Turns an HTTP connection into a plain stream in both directions (attach, exec).
 * The CLI accepts `101 UPGRADED` and nothing else. Upstream: moby daemon/server/router/container/container_routes.go.
 */
import type { Duplex } from 'node:stream';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Exchange } from './exchange.ts';

/** Precondition: nothing was answered yet. */
export const hijack = (exchange: Exchange, contentType: string): Duplex => {
  const { upgrade, response, request, trace } = exchange;
  if (!upgrade) {
    // A client of old that does not ask for an upgrade: output only, for Node keeps the other direction.
    const { socket } = response;
    if (!socket) throw new EngineError('cancelled', 'the client is gone');
    const head = `HTTP/1.1 200 OK\r\nContent-Type: ${contentType}\r\n\r\n`;
    response.detachSocket(socket);
    socket.write(head);
    trace.answered('200 OK', head, Buffer.alloc(0));
    return socket;
  }
  const { socket, head } = upgrade;
  const answer = `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${contentType}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`;
  response.detachSocket(request.socket);
  if (head.length > 0) socket.unshift(head);
  socket.write(answer);
  trace.answered('101 UPGRADED', answer, Buffer.alloc(0));
  return socket;
};
