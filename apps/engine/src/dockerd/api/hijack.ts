/**
 * Turns an HTTP connection into a plain stream in both directions (attach, exec).
 * The CLI accepts `101 UPGRADED` and nothing else. Upstream: moby daemon/server/router/container/container_routes.go.
 */
import type { Duplex } from 'node:stream';
import { EngineError } from '../../protocol/errdefs.ts';
import type { Exchange } from './exchange.ts';

/**
 * Bytes behind the request line and headers arrive in `head`: first the body, if the request has one, cut by hand
 * because Node's parser has let go of the connection; the rest is the beginning of the stream.
 */
export const bodyInHead = (
  contentLength: string | undefined,
  head: Buffer,
): { readonly body: Buffer; readonly rest: Buffer } => {
  const length = Number(contentLength ?? '0');
  const size = Number.isSafeInteger(length) && length > 0 ? length : 0;
  return { body: head.subarray(0, size), rest: head.subarray(size) };
};

/** A client may send the body a moment after the headers. Answers `head` with all of the body in it. */
export const withWholeBody = async (
  contentLength: string | undefined,
  { socket, head }: NonNullable<Exchange['upgrade']>,
): Promise<NonNullable<Exchange['upgrade']>> => {
  const length = Number(contentLength ?? '0');
  if (length > BODY_LIMIT_BYTES) {
    throw new EngineError('invalid_argument', 'http: request body too large');
  }
  let bytes = head;
  while (bytes.length < length) {
    const chunk = await nextChunk(socket);
    if (!chunk) throw new EngineError('invalid_argument', 'unexpected EOF');
    bytes = Buffer.concat([bytes, chunk]);
  }
  return { socket, head: bytes };
};
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

/** Null when the client is gone. */
const nextChunk = (socket: Duplex): Promise<Buffer | null> =>
  new Promise((resolve) => {
    const look = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null && !socket.readableEnded && !socket.destroyed) return;
      for (const event of ['readable', 'end', 'close']) socket.off(event, look);
      resolve(chunk);
    };
    for (const event of ['readable', 'end', 'close']) socket.on(event, look);
    look();
  });

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
  const { rest } = bodyInHead(request.headers['content-length'], head);
  if (rest.length > 0) socket.unshift(rest);
  socket.write(answer);
  trace.answered('101 UPGRADED', answer, Buffer.alloc(0));
  return socket;
};
