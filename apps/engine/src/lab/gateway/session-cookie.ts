/**
 * Which browser it is: a random word that the page brings along, beside the token. The token says that somebody may
 * speak to this lab, the word says who; without one, all who send nothing but the token are the same learner.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const WORD = /^[A-Za-z0-9_-]{22}$/;
const AGE_SECONDS = 90 * 24 * 3600;

/** Cookies know no ports, and another lab may be on the next one. */
const nameOf = (port: number): string => `engine-room-${port}`;

export const sessionOf = ({ headers }: IncomingMessage, port: number): string | null => {
  const name = `${nameOf(port)}=`;
  const found = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .find((pair) => pair.startsWith(name))
    ?.slice(name.length);
  return found !== undefined && WORD.test(found) ? found : null;
};

/** No script reads it, and no other site makes the browser send it along with a request. */
export const newSessionCookie = (port: number): string =>
  `${nameOf(port)}=${randomBytes(16).toString('base64url')}; Path=/; Max-Age=${AGE_SECONDS}; HttpOnly; SameSite=Lax`;
