/** A WebSocket client on the engine's socket, made by hand: what goes over the wire is seen and not assumed. RFC 6455. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { engine } from './suite.ts';

export interface WebSocketClient {
  /** As one masked binary frame, as clients send. */
  send(text: string): void;
  /** Resolves when everything that came so far, as text, matches; throws when the connection has ended before. */
  until(pattern: RegExp): Promise<string>;
  /** The opcodes of the frames that came. */
  readonly opcodes: readonly number[];
  readonly closed: Promise<unknown>;
}

/** The answer's status when the server does not want to. */
export async function openWebSocket(path: string): Promise<WebSocketClient | number> {
  const asked = request({
    socketPath: engine.socket,
    path,
    agent: false,
    headers: {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      Origin: 'http://localhost',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    },
  });
  asked.end();
  const answered = once(asked, 'response').then(([response]: unknown[]) => {
    const { statusCode } = response as IncomingMessage;
    asked.destroy();
    return statusCode ?? 0;
  });
  const upgraded = once(asked, 'upgrade').then(([, socket, head]: unknown[]) =>
    overSocket(socket as Socket, head as Buffer),
  );
  // Only one of the two comes; the other one never settles, or fails with the connection.
  for (const outcome of [answered, upgraded]) outcome.catch(() => undefined);
  return Promise.race([answered, upgraded]);
}

function overSocket(socket: Socket, head: Buffer): WebSocketClient {
  const opcodes: number[] = [];
  let rest = Buffer.alloc(0);
  let text = '';
  let look = (): void => undefined;
  const read = (chunk: Buffer): void => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const short = (rest[1] ?? 0) & 0x7f;
      const start = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (rest.length < start) return;
      const length =
        short === 126
          ? rest.readUInt16BE(2)
          : short === 127
            ? Number(rest.readBigUInt64BE(2))
            : short;
      if (rest.length < start + length) return;
      const opcode = (rest[0] ?? 0) & 0xf;
      opcodes.push(opcode);
      if (opcode <= 2) text += rest.subarray(start, start + length).toString();
      rest = rest.subarray(start + length);
      look();
    }
  };
  const closed = once(socket, 'close');
  socket.on('data', read);
  socket.on('error', () => undefined);
  read(head);
  return {
    opcodes,
    closed,
    send(words) {
      const mask = randomBytes(4);
      const bytes = Buffer.from(words).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
      socket.write(Buffer.concat([Buffer.from([0x82, 0x80 | bytes.length]), mask, bytes]));
    },
    until: (pattern) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (pattern.test(text)) resolve(text);
        };
        look();
        void closed.then(() => reject(new Error(`ended before ${String(pattern)}: ${text}`)));
      }),
  };
}
