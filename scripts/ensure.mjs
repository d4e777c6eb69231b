/**
 * Gets the repository ready to run: dependencies, native code, engine, page, images; only what has changed.
 * Needs nothing but Node itself, because it is what installs the rest.
 *
 *   node scripts/ensure.mjs              for npm start
 *   node scripts/ensure.mjs --for test   also what the tests need (Chromium, an official docker client, skopeo)
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import {
  at,
  checkNode,
  ensureDockerClient,
  find,
  GO_SDK,
  installMissing,
  Lack,
  NEEDS,
  ROOT,
  run,
  say,
} from './system-needs.mjs';

const STAMPS = at('node_modules/.stamps');

const SKIP = new Set(['node_modules', 'dist', 'build', 'gen', '.git']);

function addToHash(hash, path, ending) {
  if (!existsSync(path)) return;
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path).sort())
      if (!SKIP.has(name)) addToHash(hash, join(path, name), ending);
    return;
  }
  if (!path.endsWith(ending) || /\.test\.tsx?$/.test(path)) return;
  hash.update(path.slice(ROOT.length)).update('\0').update(readFileSync(path)).update('\0');
}

function hashOf(inputs) {
  const hash = createHash('sha256');
  for (const input of inputs) {
    // `folder/**.proto` means the files below the folder that end so.
    const [path, ending = ''] = input.split('/**');
    addToHash(hash, at(path), ending);
  }
  return hash.digest('hex');
}

const stampOf = (name) => {
  try {
    return readFileSync(join(STAMPS, name), 'utf8');
  } catch {
    return '';
  }
};

/** Does the work unless its inputs are those of the last time and its outputs are there. True when it was done. */
async function once(name, { inputs, outputs }, work) {
  const wanted = hashOf(inputs);
  if (stampOf(name) === wanted && outputs.every((output) => existsSync(at(output)))) return false;
  await work();
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(join(STAMPS, name), wanted);
  return true;
}

const MANIFESTS = [
  'package-lock.json',
  'package.json',
  '.npmrc',
  ...['apps/engine', 'apps/web', 'native', 'e2e'].map((folder) => `${folder}/package.json`),
];

/**
 * npm writes down what it installed; when that is what the lock file asks for, there is nothing to do. Of what is optional
 * it need not have everything, but our own manifests must be those by which it decided.
 */
function isInstalled() {
  try {
    const wanted = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages;
    const installed = JSON.parse(
      readFileSync(at('node_modules/.package-lock.json'), 'utf8'),
    ).packages;
    return Object.entries(wanted).every(([path, entry]) => {
      if (path === '' || entry.link) return true;
      if (!path.startsWith('node_modules/')) return isDeepStrictEqual(installed[path], entry);
      return entry.optional || installed[path]?.version === entry.version;
    });
  } catch {
    return false;
  }
}

const npx = (name) => at(`node_modules/.bin/${name}`);
const node = (script) => [process.execPath, [at(`scripts/${script}`)]];

async function prepareRepository({ native }) {
  await once(
    'install',
    { inputs: MANIFESTS, outputs: ['node_modules/.package-lock.json'] },
    async () => {
      if (!isInstalled()) await run('npm ci', 'npm', ['ci', '--ignore-scripts'], { isVital: true });
    },
  );
  await once(
    'generate',
    {
      inputs: [
        'package-lock.json',
        'apps/engine/buf.gen.yaml',
        'apps/engine/buf.yaml',
        'apps/engine/src/protocol/**.proto',
      ],
      outputs: ['apps/engine/src/protocol/gen/task'],
    },
    () =>
      run('generate protocol/gen from the .proto files', npx('buf'), ['generate'], {
        cwd: at('apps/engine'),
      }),
  );
  if (native)
    await once(
      'native',
      {
        inputs: ['native', 'scripts/build-native.mjs'],
        outputs: ['native/build/engine-room.node', 'native/build/runc'],
      },
      () => run('compile native/', ...node('build-native.mjs')),
    );
  await once(
    'engine',
    {
      inputs: [
        'package-lock.json',
        'apps/engine/src',
        'native/native.ts',
        'native/arguments.ts',
        'scripts/build-engine.mjs',
        'scripts/source-location.mjs',
      ],
      outputs: ['apps/engine/dist/lab.cjs'],
    },
    () => run('bundle the engine', ...node('build-engine.mjs')),
  );
  if (native)
    await once(
      'images',
      {
        inputs: [
          'apps/engine/images',
          'scripts/build-images.mjs',
          'scripts/nginx-image.mjs',
          'scripts/oci-image.mjs',
        ],
        outputs: [
          'apps/engine/dist/images/busybox.json',
          'apps/engine/dist/images/hello-world.json',
        ],
      },
      () => run('build the embedded images', ...node('build-images.mjs')),
    );
  if (native)
    await once(
      // What there is to build depends on what is installed.
      `programs-${find('go') !== null && existsSync(GO_SDK) ? 'go' : 'plain'}`,
      {
        inputs: ['package-lock.json', 'content/programs', 'scripts/build-programs.mjs'],
        outputs: ['apps/engine/dist/programs/list-containers.mjs'],
      },
      () => run('build the programs of the lessons', ...node('build-programs.mjs')),
    );
  await once(
    'web',
    {
      inputs: [
        'package-lock.json',
        'vite.config.ts',
        'apps/web',
        'apps/engine/src/protocol',
        'content',
      ],
      outputs: ['apps/web/dist/index.html'],
    },
    () => run('build the page', npx('vite'), ['build', '--logLevel', 'warn']),
  );
}

/** Everything for one purpose: `start`, `test`, or `recorded` (a page without an engine). Throws a `Lack`. */
export async function ensure(purpose = 'start') {
  checkNode();
  const native = purpose !== 'recorded';
  if (native) await installMissing([...NEEDS.start, ...(purpose === 'test' ? NEEDS.test : [])]);
  if (purpose === 'test') await ensureDockerClient();
  await prepareRepository({ native });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const purpose = process.argv[process.argv.indexOf('--for') + 1] === 'test' ? 'test' : 'start';
  try {
    await ensure(purpose);
  } catch (error) {
    if (!(error instanceof Lack)) throw error;
    say(`\n${error.message}`);
    process.exitCode = 1;
  }
}
