/**
 * Asks a caller that is connected whether it is still there, and hangs up when it does not answer.
 *
 * It also frees what Node would keep for ever: after headers that HPACK cannot read, node:http2 says GOAWAY, reads no
 * more and so never learns that the caller has gone.
 * https://grpc.io/docs/guides/keepalive/. Upstream: grpc-go keepalive.ServerParameters (its default values).
 */
import type { Http2Session } from 'node:http2';

export interface Keepalive {
  /** Between two questions. */
  readonly timeMs: number;
  /** For the answer. */
  readonly timeoutMs: number;
}

export const KEEPALIVE: Keepalive = { timeMs: 2 * 60 * 60_000, timeoutMs: 20_000 };

/** Answers how to stop asking. */
export const keepAlive = (
  session: Http2Session,
  { timeMs, timeoutMs }: Keepalive,
): (() => void) => {
  let waiting: NodeJS.Timeout | undefined;
  const hangUp = (): void => session.destroy();
  const asking = setInterval(() => {
    if (session.destroyed || waiting) return;
    waiting = setTimeout(hangUp, timeoutMs).unref();
    const isSent = session.ping((error) => {
      clearTimeout(waiting);
      waiting = undefined;
      if (error) hangUp();
    });
    if (!isSent) hangUp();
  }, timeMs);
  asking.unref();
  return () => {
    clearInterval(asking);
    clearTimeout(waiting);
  };
};
