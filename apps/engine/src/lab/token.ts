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

/** What is printed: the token stands in the fragment, which a browser sends to nobody. */
export const urlOf = (host: string, port: number, token: string | null): string => {
  const name =
    host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}/${token === null ? '' : `#token=${token}`}`;
};
