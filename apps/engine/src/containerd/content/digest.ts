/** `sha256:<64 hex digits>`: the name of a blob is the hash of its bytes. Upstream: opencontainers/go-digest. */
import { createHash, type Hash } from 'node:crypto';
import { EngineError } from '../../protocol/errdefs.ts';

/** A digest that has been checked: safe to build a path from. */
export type Digest = `sha256:${string}`;

const SHA256 = /^sha256:[0-9a-f]{64}$/;

export const isDigest = (text: string): text is Digest => SHA256.test(text);

export const parseDigest = (text: string): Digest => {
  if (!isDigest(text)) throw new EngineError('invalid_argument', `"${text}" failed validation`);
  return text;
};

export const hexOf = (digest: Digest): string => digest.slice('sha256:'.length);

export const digestOf = (bytes: Uint8Array | string): Digest =>
  finishDigest(startDigest().update(bytes));

export const startDigest = (): Hash => createHash('sha256');

/** The digest of what was hashed so far; the hash can go on. */
export const finishDigest = (hash: Hash): Digest => `sha256:${hash.copy().digest('hex')}`;
