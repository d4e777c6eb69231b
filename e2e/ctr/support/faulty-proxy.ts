/**
 * A proxy between an engine and a real registry that does, once for each fault, what registries and networks do.
 * Reference: https://github.com/opencontainers/distribution-spec
 */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';

export type Fault =
  /** Breaks the connection after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Changes one byte of the body. */
  | { readonly kind: 'flip' }
  /** A few bytes at a time. */
  | { readonly kind: 'trickle'; readonly bytes: number }
  | { readonly kind: 'answer'; readonly status: number; readonly headers?: Record<string, string> }
  /** Sends whoever asks to somebody else. */
  | { readonly kind: 'redirect'; readonly to: string }
  /** Answers nothing until this resolves. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> };

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export interface FaultyProxy {
  readonly host: string;
  readonly seen: Seen[];
  /** Faults for the next requests whose path matches, one each, in this order. */
  fail(path: RegExp, ...faults: readonly Fault[]): void;
  /** From now on everybody must send this. */
  demand(authorization: string): void;
  stop(): Promise<void>;
}

export const startFaultyProxy = async (upstream: string): Promise<FaultyProxy> => {
  const seen: Seen[] = [];
  const planned: { readonly path: RegExp; readonly faults: Fault[] }[] = [];
  let demanded: string | null = null;
  const faultFor = (path: string): Fault | undefined =>
    planned.find((each) => each.faults.length > 0 && each.path.test(path))?.faults.shift();

  const serve = async (asked: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url: path = '/', headers } = asked;
    const { range, authorization } = headers;
    seen.push({ method, path, range, authorization });
    if (demanded !== null && authorization !== demanded) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="test"' }).end();
      return;
    }
    const fault = faultFor(path);
    if (fault?.kind === 'hold') await fault.until;
    if (fault?.kind === 'answer') {
      response.writeHead(fault.status, fault.headers).end();
      return;
    }
    if (fault?.kind === 'redirect') {
      response.writeHead(307, { Location: `${fault.to}${path}` }).end();
      return;
    }
    const [hostname, port] = upstream.split(':');
    const { authorization: _ours, ...rest } = headers;
    const on = request({ hostname, port, method, path, headers: { ...rest, host: upstream } });
    on.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      const changed = fault ? answer.pipe(changing(fault, response)) : answer;
      changed.pipe(response);
    });
    on.once('error', () => response.destroy());
    asked.pipe(on);
  };
  const server = createServer((asked, response) => void serve(asked, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    fail: (path, ...faults) => void planned.push({ path, faults: [...faults] }),
    demand: (authorization) => {
      demanded = authorization;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

const changing = (fault: Fault, response: ServerResponse): Transform => {
  let gone = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const before = gone;
      gone += chunk.length;
      if (fault.kind === 'cut' && gone > fault.afterBytes) {
        this.push(chunk.subarray(0, fault.afterBytes - before));
        // What was sent shall arrive before the connection breaks.
        setImmediate(() => response.destroy());
        return;
      }
      if (fault.kind === 'flip' && before === 0) chunk[chunk.length - 1] = ~(chunk.at(-1) ?? 0);
      if (fault.kind !== 'trickle') return done(null, chunk);
      for (let at = 0; at < chunk.length; at += fault.bytes)
        this.push(chunk.subarray(at, at + fault.bytes));
      done();
    },
  });
};
