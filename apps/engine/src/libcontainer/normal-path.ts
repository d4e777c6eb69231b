/**
 * `/a/../b//c/` → `/b/c`, for paths that nearly always are normal already: to look for what is not takes a fraction of
 * the time of node:path, which walks each path character by character, and a plan names hundreds.
 */
import { posix } from 'node:path';

/** Absolute, without `.`, `..` (which cannot climb above `/`), double slashes and a slash at the end. */
export const normalPath = (path: string): string => {
  const absolute = path.startsWith('/') ? path : `/${path}`;
  const isNormal = !absolute.includes('//') && !absolute.includes('/.') && !absolute.endsWith('/');
  if (isNormal) return absolute;
  const normal = posix.normalize(absolute);
  return normal.endsWith('/') && normal !== '/' ? normal.slice(0, -1) : normal;
};

/** A normal path below a folder that has one, too. */
export const below = (folder: string, path: string): string =>
  folder === '/' ? path : path === '/' ? folder : `${folder}${path}`;
