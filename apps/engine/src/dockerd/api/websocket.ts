/**
 * Turns an HTTP connection into a WebSocket that carries plain bytes: what a browser can attach with.
 * RFC 6455. Upstream: moby daemon/server/router/container/container_routes.go wsContainersAttach.
 */
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { compareVersions } from '../../protocol/docker-engine-api/versions.ts';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Exchange } from './exchange.ts';

/** What a client may send at once: no program types more. */
const MESSAGE_LIMIT_BYTES = 1024 * 1024;

const server = new WebSocketServer({
  noServer: true,
  maxPayload: MESSAGE_LIMIT_BYTES,
  perMessageDeflate: false,
});

const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** Throws while an ordinary answer can still be given. */
export const checkForWebSocket = ({ upgrade, request: { headers } }: Exchange): void => {
  const isWebSocket =
    upgrade !== null &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    KEY.test(headers['sec-websocket-key'] ?? '') &&
    ['8', '13'].includes(headers['sec-websocket-version'] ?? '');
  if (!isWebSocket) throw new EngineError('invalid_argument', 'not websocket protocol');
};

/** Precondition: `checkForWebSocket` has said nothing, and nothing was answered yet. */
export const acceptWebSocket = ({
  upgrade,
  request,
  response,
  trace,
  version,
}: Exchange): Duplex => {
  let stream: Duplex | null = null;
  if (upgrade) {
    response.detachSocket(request.socket);
    server.handleUpgrade(request, upgrade.socket, upgrade.head, (socket) => {
      // Clients of old read text.
      const binary = compareVersions(version, '1.28') >= 0;
      stream = createWebSocketStream(socket);
      // As Docker does: a close frame, and no waiting for the client's.
      stream._final = (callback) => {
        socket.close();
        upgrade.socket.end();
        callback();
      };
      stream._write = (chunk: Buffer, _encoding, callback) => {
        socket.send(chunk, { binary }, (error) => callback(error));
      };
    });
  }
  if (!stream) throw new EngineError('cancelled', 'the client is gone');
  const answer = 'HTTP/1.1 101 Switching Protocols\r\n';
  trace.answered('101 Switching Protocols', answer, Buffer.alloc(0));
  return stream;
};
