/**
 * What may name a container, a lease or a namespace: words of letters and digits, joined by single `.`, `_` or `-`.
 * Such a name is safe as a part of a path. Upstream: containerd pkg/identifiers.
 */
import { EngineError } from '../protocol/errdefs.ts';
import { invalidArgument } from './errors.ts';

const IDENTIFIER = /^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$/;
const MAX_LENGTH = 76;
/** Names of images and snapshots are free text; the database's keys are not endless. */
const MAX_NAME_BYTES = 1024;

export const validateIdentifier = (text: string): string => {
  if (text === '') throw invalidArgument('identifier must not be empty');
  if (text.length > MAX_LENGTH) {
    throw invalidArgument(
      `identifier "${text.slice(0, 100)}" greater than maximum length (${MAX_LENGTH} characters)`,
    );
  }
  if (!IDENTIFIER.test(text))
    throw invalidArgument(`identifier "${text}" must match ${IDENTIFIER.source}`);
  return text;
};

/** The namespace of a call: every record lives in one. `moby` is dockerd's. */
export const requireNamespace = (call: { readonly namespace: string }): string => {
  if (call.namespace === '') {
    throw new EngineError('failed_precondition', 'namespace is required: failed precondition');
  }
  return validateIdentifier(call.namespace);
};

/** A free-text name (of an image, a snapshot, a reference) that fits the database. */
export const validateName = (what: string, text: string, limitBytes = MAX_NAME_BYTES): string => {
  if (text === '') throw invalidArgument(`${what} must not be empty`);
  if (Buffer.byteLength(text) > limitBytes)
    throw invalidArgument(`${what} is longer than ${limitBytes} bytes`);
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is refused
  if (/[\u0000-\u001f]/.test(text)) throw invalidArgument(`${what} has a control character`);
  return text;
};
