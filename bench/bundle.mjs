/** Makes TypeScript of this repository importable from a bench, as build-engine.mjs does for the engine. */
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { esbuildSourceLocation } from '../scripts/source-location.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Imports what the given files export, as one module. It lies as deep below the root of the repository as the files that
 * look for the root from where they are: `NAME` is like e2e/support, `ctr/NAME` like e2e/ctr/support.
 */
export async function importSources(name, paths) {
  const outfile = join(ROOT, '.tmp/bench', `${name}.mjs`);
  await build({
    stdin: {
      contents: paths.map((path) => `export * from './${path}';`).join('\n'),
      resolveDir: ROOT,
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // What is CommonJS inside (express) asks for Node's modules by require.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    target: 'node20',
    plugins: [esbuildSourceLocation],
    logLevel: 'warning',
  });
  return import(pathToFileURL(outfile).href);
}
