/**
 * Bundles each process of the engine into one file, apps/engine/dist/<process>.cjs, that plain Node can start:
 * no loader, no node_modules look-ups in the run path except lmdb's prebuilt binary.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { esbuildSourceLocation } from './source-location.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PROCESSES = ['lab', 'dockerd', 'containerd', 'containerd-shim', 'runc', 'docker'];
/** Threads, and what comes before a program, are bundles of their own, built with their process. */
const BESIDE = {
  containerd: { 'containerd-apply-thread': 'diff/apply-thread.ts' },
  'containerd-shim': { 'containerd-shim-side-by-side': 'side-by-side.ts' },
};
/**
 * All that a bundle may ask for beside Node. For what is not there Node would go on looking above the repository, where
 * others may write, and what runs here is root.
 */
const INSTALLED = ['lmdb'];
const entryOf = (name) => join(ROOT, 'apps/engine/src', name, 'main.ts');

const only = process.argv.slice(2);
const wanted = only.length > 0 ? only : PROCESSES;
const present = wanted.filter((name) => existsSync(entryOf(name)));
for (const name of wanted) {
  if (!present.includes(name)) console.error(`build-engine: no ${entryOf(name)}, skipped`);
}

/** What `runc --version` names as its commit: that of these sources, or that nobody knows. */
function revision() {
  const git = (...args) =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
  try {
    const isChanged = git('status', '--porcelain', '--', 'apps/engine', 'native').trim() !== '';
    return `${git('rev-parse', '--short=12', 'HEAD').trim()}${isChanged ? '-dirty' : ''}`;
  } catch {
    return 'unknown';
  }
}

const { metafile } = await build({
  entryPoints: Object.fromEntries(
    present.flatMap((name) => [
      [name, entryOf(name)],
      ...Object.entries(BESIDE[name] ?? {}).map(([bundle, file]) => [
        bundle,
        join(dirname(entryOf(name)), file),
      ]),
    ]),
  ),
  outdir: join(ROOT, 'apps/engine/dist'),
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: [...INSTALLED, '*.node'],
  // The sources are ES modules; a bundle is not, so it says itself where it lies.
  define: {
    'import.meta.url': '__bundleUrl',
    __COMMIT__: JSON.stringify(revision()),
    // ws would ask for accelerators that we do not install.
    'process.env.WS_NO_BUFFER_UTIL': '"1"',
    'process.env.WS_NO_UTF_8_VALIDATE': '"1"',
  },
  banner: { js: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  plugins: [esbuildSourceLocation],
  logLevel: 'warning',
  metafile: true,
});
for (const [file, { imports }] of Object.entries(metafile.outputs))
  for (const { path } of imports.filter(({ external }) => external))
    if (!isBuiltin(path) && !INSTALLED.includes(path)) throw new Error(`${file} asks for ${path}`);
console.error(`build-engine: ${present.join(' ')} → apps/engine/dist`);
