/** One request and its answer, as a route sees them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Query } from './query.ts';
import type { RequestTrace } from './request-trace.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What `{name}` in the path stands for. */
  readonly name: string;
  readonly query: Query;
  /** The API version that the client speaks. */
  readonly version: string;
  /** Empty for a route that reads its body itself. */
  readonly body: Buffer;
  readonly trace: RequestTrace;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
  /** The connection, when the client asked for an upgrade; `head` is what it sent behind the request and its body. */
  readonly upgrade: { readonly socket: Duplex; readonly head: Buffer } | null;
}

export const answerJson = ({ response }: Exchange, status: number, value: unknown): void => {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(`${JSON.stringify(value)}\n`);
};

export const answerEmpty = ({ response }: Exchange, status: number): void => {
  response.writeHead(status);
  response.end();
};

/** Waits when the client reads slower than we write. False when it is gone. */
export const writeAll = async (
  { response, signal }: Exchange,
  bytes: Uint8Array | string,
): Promise<boolean> => {
  if (signal.aborted) return false;
  if (response.write(bytes)) return true;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done);
  });
  return !signal.aborted;
};
