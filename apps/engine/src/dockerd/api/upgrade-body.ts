/**
 * The body of a request that asks for an upgrade (`POST /exec/{id}/start` has one), and the stream that begins behind it.
 * Node's parser lets go of such a connection behind the headers, so that the body is the beginning of what follows and
 * is cut out here; since Node 26 it reads the body like any other.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { EngineError } from '../../protocol/errdefs.ts';
import { LIMIT_BYTES } from './body.ts';
import type { Exchange } from './exchange.ts';

type Upgrade = NonNullable<Exchange['upgrade']>;

/** Resolves when the body is whole, which may be a moment after the headers. `head` is the beginning of the stream then. */
export const readUpgrade = async (
  request: IncomingMessage,
  { socket, head }: Upgrade,
): Promise<{ readonly body: Buffer; readonly upgrade: Upgrade }> => {
  const length = lengthOf(request.headers['content-length']);
  if (length > LIMIT_BYTES) throw tooLarge();
  // Where the parser has let go, to read from the request would set the connection going.
  const hasLetGo = request.complete && request.readableLength === 0;
  const parsed = hasLetGo ? Buffer.alloc(0) : await parsedBody(request);
  if (parsed.length > 0) {
    if (!request.complete) throw unexpectedEnd();
    return { body: parsed, upgrade: { socket, head } };
  }
  let bytes = head;
  while (bytes.length < length) {
    const chunk = await nextChunk(socket);
    if (!chunk) throw unexpectedEnd();
    bytes = Buffer.concat([bytes, chunk]);
  }
  return {
    body: bytes.subarray(0, length),
    upgrade: { socket, head: bytes.subarray(length) },
  };
};

const tooLarge = (): EngineError =>
  new EngineError('invalid_argument', 'http: request body too large');
const unexpectedEnd = (): EngineError => new EngineError('invalid_argument', 'unexpected EOF');

const lengthOf = (header: string | undefined): number => {
  const length = Number(header ?? '0');
  return length > 0 ? length : 0;
};

/** What the parser takes for the body: whole, or up to the client's last byte. */
const parsedBody = (request: IncomingMessage): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const done = (): void => resolve(Buffer.concat(chunks));
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > LIMIT_BYTES) reject(tooLarge());
      else chunks.push(chunk);
    });
    request.once('end', done).once('close', done);
    // Nothing more comes, and the request does not say so. What has come is told first.
    const ended = (): void => void setImmediate(done);
    if (request.socket.readableEnded) ended();
    else request.socket.once('end', ended);
  });

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
