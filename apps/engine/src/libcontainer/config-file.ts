/**
 * config.json of a bundle, read once: what the file says later changes nothing.
 * OCI bundle.md, config.md. Upstream: runc spec.go (loadSpec).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { RuntimeSpec } from '../protocol/oci/runtime-spec.ts';

/** Precondition: the bundle is an absolute path. */
export const readConfig = (bundle: string): RuntimeSpec => parseConfig(readConfigText(bundle));

export const readConfigText = (bundle: string): string => {
  try {
    return readFileSync(join(bundle, 'config.json'), 'utf8');
  } catch (error) {
    throw new EngineError(
      'not_found',
      `runc create failed: JSON specification file config.json not found`,
      { cause: error },
    );
  }
};

export const parseConfig = (text: string): RuntimeSpec => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw refused(`config.json is not JSON: ${messageOf(error)}`);
  }
  // First what everybody forgets, in upstream's words.
  if (typeof json === 'object' && json !== null && !Array.isArray(json) && !('process' in json))
    throw refused('process property must not be empty');
  const { data, error } = RuntimeSpec.safeParse(json);
  if (data) return data;
  const issues = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw refused(`config.json is not valid: ${issues.join('; ')}`);
};

const refused = (sentence: string): EngineError =>
  new EngineError('invalid_argument', `runc create failed: ${sentence}`);
