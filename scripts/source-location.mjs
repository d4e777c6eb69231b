/**
 * Replaces the word `__SOURCE__` by "path/in/the/repository.ts:line", so that each event of the trace
 * can name the code that did it. One transform, used by the engine's build (esbuild) and by the tests (vite).
 */
import { readFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

export function replaceSource(code, file) {
  if (!code.includes('__SOURCE__')) return code;
  const path = relative(ROOT, file).replaceAll('\\', '/');
  return code
    .split('\n')
    .map((line, index) => line.replaceAll('__SOURCE__', JSON.stringify(`${path}:${index + 1}`)))
    .join('\n');
}

/** For esbuild. */
export const esbuildSourceLocation = {
  name: 'source-location',
  setup(build) {
    build.onLoad({ filter: /apps\/engine\/src\/.*\.ts$/ }, async ({ path }) => ({
      contents: replaceSource(await readFile(path, 'utf8'), path),
      loader: 'ts',
    }));
  },
};

/** For vite and vitest. */
export const viteSourceLocation = {
  name: 'source-location',
  enforce: 'pre',
  transform(code, id) {
    return id.includes('/apps/engine/src/') && id.endsWith('.ts')
      ? replaceSource(code, id)
      : undefined;
  },
};
