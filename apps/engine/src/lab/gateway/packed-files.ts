/**
 * Scripts and style sheets as the build has packed them beside the plain ones (`scripts/packed-files.mjs`): a phone on
 * the network of a class waits for a third of the bytes.
 */
import { readdirSync } from 'node:fs';
import { extname } from 'node:path';
import type { RequestHandler } from 'express';

/** Stands before `express.static` of the same folder, which answers with the packed file then. */
export const packedFiles = (folder: string): RequestHandler => {
  const names = new Set(namesIn(folder));
  return (request, response, next) => {
    const name = request.path.slice(1);
    if (!/\.(?:js|css)$/.test(name) || !names.has(`${name}.gz`)) return next();
    response.vary('Accept-Encoding');
    if (request.acceptsEncodings('gzip') === 'gzip') {
      request.url = `/${name}.gz`;
      response.set('Content-Encoding', 'gzip').type(extname(name));
    }
    next();
  };
};

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder);
  } catch {
    // Not built yet.
    return [];
  }
};
