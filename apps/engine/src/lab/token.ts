/** The secret in the printed URL. It outlives a restart of the lab, so that an open page finds its way back. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SHAPE = /^[A-Za-z0-9_-]{43}$/;

export const keepToken = (folder: string): string => {
  const path = join(folder, 'token');
  try {
    const kept = readFileSync(path, 'utf8').trim();
    if (SHAPE.test(kept)) return kept;
  } catch {
    // The first start.
  }
  const token = randomBytes(32).toString('base64url');
  writeFileSync(path, `${token}\n`, { mode: 0o600 });
  return token;
};
