/**
 * Which span is the current one, and how it travels to the next process.
 * W3C trace context: https://www.w3.org/TR/trace-context/
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, randomBytes } from 'node:crypto';

export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
}

const storage = new AsyncLocalStorage<SpanContext>();

/** The span that the running code belongs to, or undefined outside of any. */
export const currentContext = (): SpanContext | undefined => storage.getStore();

/** Runs `work` (and everything that it awaits) inside the span. */
export const withContext = <T>(context: SpanContext | undefined, work: () => T): T =>
  context ? storage.run(context, work) : storage.exit(work);

/** Bytes for some hundred ids at a time: to ask for eight takes as long as to ask for all of these. */
const POOL_BYTES = 4096;
let pool = Buffer.alloc(0);
let used = 0;
let owner = 0;

const randomHex = (size: number): string => {
  // A shim begins as a copy of its template, and copies must not go on with the same bytes.
  if (owner !== process.pid || used + size > pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
    owner = process.pid;
  }
  used += size;
  return pool.toString('hex', used - size, used);
};

export const newTraceId = (): string => randomHex(16);
export const newSpanId = (): string => randomHex(8);

export const formatTraceparent = ({ traceId, spanId }: SpanContext): string =>
  `00-${traceId}-${spanId}-01`;

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** Undefined for anything that is not a valid header: a bad one is ignored, as the specification says. */
export const parseTraceparent = (header: string | undefined): SpanContext | undefined => {
  const match = TRACEPARENT.exec(header ?? '');
  if (!match) return undefined;
  const [, traceId, spanId] = match;
  if (!traceId || !spanId || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId };
};

/**
 * The trace of a client process that knows nothing of tracing: one command, one trace.
 * dockerd and the lab both compute it from what the kernel says of the process, so they agree without talking.
 * `startTime` is field 22 of /proc/<pid>/stat, which makes the pid unique for as long as the machine is up.
 */
export const traceOfProcess = (pid: number, startTime: string): SpanContext => {
  const hash = createHash('sha256').update(`process ${pid} ${startTime}`).digest('hex');
  return { traceId: hash.slice(0, 32), spanId: hash.slice(32, 48) };
};
