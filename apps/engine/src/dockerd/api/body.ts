/** Reads the body of a request, within limits. Upstream: moby daemon/server/httputils/httputils.go. */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { EngineError } from '../../protocol/errdefs.ts';
import { withKnownKeys } from './go-keys.ts';

/** A container's configuration is a few kilobytes; this is what a hostile client may make us keep. */
export const LIMIT_BYTES = 4 * 1024 * 1024;

export const readBody = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > LIMIT_BYTES) {
      throw new EngineError('invalid_argument', 'http: request body too large');
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
};

export const checkForJson = (contentType: string | undefined, size: number): void => {
  if (size === 0) return;
  const mediaType = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType === 'application/json') return;
  throw new EngineError(
    'invalid_argument',
    mediaType === ''
      ? 'malformed Content-Type header (): mime: no media type'
      : `unsupported Content-Type header (${contentType}): must be 'application/json'`,
  );
};

export const parseBody = <T extends z.ZodType>(schema: T, body: Buffer): z.output<T> => {
  if (body.length === 0) {
    throw new EngineError('invalid_argument', 'invalid JSON: got EOF while reading request body');
  }
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EngineError('invalid_argument', `invalid JSON: ${reason}`, { cause: error });
  }
  const result = schema.safeParse(withKnownKeys(schema, value));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.join('.') ?? '';
  throw new EngineError(
    'invalid_argument',
    `invalid JSON: ${path === '' ? '' : `${path}: `}${issue?.message ?? 'not what was expected'}`,
    { cause: result.error },
  );
};
