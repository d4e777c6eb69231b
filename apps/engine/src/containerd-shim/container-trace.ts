/**
 * The trace that a container belongs to, kept with the container.
 *
 * A container exits because of itself, long after the request that made it was answered: no span is current then.
 * So the span of Create is written into the bundle, where the `delete` action of another process finds it, too.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatTraceparent, parseTraceparent, type SpanContext } from '../tracing/context.ts';

const FILE = 'trace.json';

export const saveContainerTrace = (bundle: string, context: SpanContext): void =>
  writeFileSync(join(bundle, FILE), JSON.stringify({ traceparent: formatTraceparent(context) }), {
    mode: 0o600,
  });

/** Undefined for a container that nobody traced. */
export const readContainerTrace = (bundle: string): SpanContext | undefined => {
  try {
    const content: unknown = JSON.parse(readFileSync(join(bundle, FILE), 'utf8'));
    const header: unknown =
      typeof content === 'object' && content ? Reflect.get(content, 'traceparent') : undefined;
    return typeof header === 'string' ? parseTraceparent(header) : undefined;
  } catch {
    return undefined;
  }
};
