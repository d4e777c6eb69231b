/**
 * Gets the repository ready to run: dependencies, native code, engine, page, images; only what has changed.
 * Needs nothing but Node itself, because it is what installs the rest.
 *
 *   node scripts/ensure.mjs              for npm start
 *   node scripts/ensure.mjs --for test   also what the tests need (Chromium, an official docker client, skopeo)
 */
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const STAMPS = join(ROOT, 'node_modules/.stamps');
/** Tools that are unpacked here instead of being installed, such as the docker client without its daemon. */
const TOOLS = join(ROOT, '.tmp/tools');
const LEAST_NODE = [20, 19];

/** A lack that a person must mend; the message says how. */
export class Lack extends Error {}

const say = (text) => process.stderr.write(`${text}\n`);
const at = (path) => join(ROOT, path);
const isRoot = process.getuid?.() === 0;

/** Runs a command, shows its output only when it fails, and says what it is for. */
async function run(purpose, command, args, { cwd = ROOT, env = process.env } = {}) {
  const begin = performance.now();
  if (process.stderr.isTTY) process.stderr.write(`  … ${purpose}`);
  else say(`  … ${purpose}`);
  const path = [at('node_modules/.bin'), env.PATH ?? ''].join(delimiter);
  const child = spawn(command, args, { cwd, env: { ...env, PATH: path }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-64 * 1024);
    });
  }
  const code = await new Promise((resolve) => {
    child.on('error', (error) => {
      output += error.message;
      resolve(-1);
    });
    child.on('close', resolve);
  });
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  if (code !== 0) throw new Lack(`${purpose} failed:\n${output.trimEnd()}\n(${command} ${args.join(' ')})`);
  say(`  ✓ ${purpose} (${seconds} s)`);
  return output;
}

export function find(...names) {
  const folders = [join(TOOLS, 'usr/bin'), ...(process.env.PATH ?? '').split(delimiter)];
  for (const name of names) {
    for (const folder of folders) {
      try {
        const path = join(folder, name);
        accessSync(path, constants.X_OK);
        if (statSync(path).isFile()) return path;
      } catch {
        // not here
      }
    }
  }
  return null;
}

// ---------------------------------------------------------------------------------------------- content hashes

const SKIP = new Set(['node_modules', 'dist', 'build', 'gen', '.git']);

function addToHash(hash, path, ending) {
  if (!existsSync(path)) return;
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path).sort()) if (!SKIP.has(name)) addToHash(hash, join(path, name), ending);
    return;
  }
  if (!path.endsWith(ending) || /\.test\.tsx?$/.test(path)) return;
  hash.update(path.slice(ROOT.length)).update('\0').update(readFileSync(path)).update('\0');
}

function hashOf(inputs) {
  const hash = createHash('sha256').update(process.version);
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

// ---------------------------------------------------------------------------------------------- the system

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])) return;
  throw new Lack(
    `Node ${LEAST_NODE.join('.')} or newer is needed, this is ${process.version}.\n` +
      'See https://nodejs.org/en/download, or on Debian and Ubuntu the packages of https://github.com/nodesource/distributions.',
  );
}

const NEEDS = {
  start: [
    { what: 'a C compiler', why: 'runc and the native addon are compiled here', packages: ['gcc', 'libc6-dev'], has: () => find(process.env.CC ?? 'cc', 'gcc', 'clang') },
    { what: 'a C++ compiler', why: 'the addon speaks to Node in C++', packages: ['g++'], has: () => find(process.env.CXX ?? 'c++', 'g++', 'clang++') },
    { what: 'a static busybox', why: 'it becomes the embedded busybox image', packages: ['busybox-static'], has: () => hasStaticBusybox() },
  ],
  test: [
    { what: 'Chromium', why: 'the tests look at the page in a browser', packages: ['chromium'], has: () => process.env.CHROME_PATH ?? find('chromium', 'chromium-browser', 'google-chrome') },
    { what: 'skopeo', why: 'the tests read our images with somebody else’s eyes', packages: ['skopeo'], has: () => find('skopeo') },
    { what: 'strace', why: 'the trace of runc must agree with the kernel’s', packages: ['strace'], has: () => find('strace') },
  ],
};

/** Asking for its applets is cheap; whether it is static is found out when the image is built. */
const hasStaticBusybox = () =>
  ['/bin/busybox', '/usr/bin/busybox', '/usr/local/bin/busybox'].some((path) => existsSync(path)) &&
  (!existsSync('/var/lib/dpkg/info') || existsSync('/var/lib/dpkg/info/busybox-static.list') || !existsSync('/var/lib/dpkg/info/busybox.list'));

async function installMissing(needs) {
  const missing = needs.filter(({ has }) => !has());
  if (missing.length === 0) return;
  say('This machine lacks:');
  for (const { what, why, packages } of missing) say(`  - ${what} (${packages.join(' ')}): ${why}`);
  const packages = missing.flatMap((need) => need.packages);
  const command = `apt-get install ${packages.join(' ')}`;
  if (!find('apt-get')) throw new Lack(`Install it with this system's package manager, then start again.`);
  if (!isRoot) throw new Lack(`Install it with:  sudo ${command}\nthen start again.`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = () =>
    run(command, 'apt-get', ['install', '-y', '--no-install-recommends', ...packages], { env });
  try {
    await install();
  } catch {
    await run('apt-get update', 'apt-get', ['update'], { env });
    await install();
  }
  const still = missing.filter(({ has }) => !has());
  if (still.length > 0) throw new Lack(`Still missing after the installation: ${still.map(({ what }) => what).join(', ')}`);
}

/** The official client alone: installing its package would also start a second dockerd. */
async function ensureDockerClient() {
  if (find('docker')) return;
  if (!find('apt-get') || !find('dpkg-deb')) {
    say('  - no official docker client; the tests that need it are skipped');
    return;
  }
  const folder = join(TOOLS, 'download');
  mkdirSync(folder, { recursive: true });
  for (const name of ['docker-cli', 'docker.io']) {
    try {
      await run(`fetch the docker client (${name})`, 'apt-get', ['download', name], { cwd: folder });
      const [archive] = readdirSync(folder).filter((file) => file.startsWith(`${name}_`));
      await run('unpack it into .tmp/tools', 'dpkg-deb', ['-x', join(folder, archive), TOOLS]);
      if (find('docker')) return;
    } catch {
      // Debian has had it under both names.
    }
  }
  say('  - no official docker client could be fetched; the tests that need it are skipped');
}

// ---------------------------------------------------------------------------------------------- the repository

const MANIFESTS = ['package-lock.json', 'package.json', '.npmrc', ...['apps/engine', 'apps/web', 'native', 'e2e'].map((folder) => `${folder}/package.json`)];

/** npm writes down what it installed; when that is what the lock file asks for, there is nothing to do. */
function isInstalled() {
  try {
    const wanted = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages;
    const installed = JSON.parse(readFileSync(at('node_modules/.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(
      ([path, { version, optional, link }]) =>
        !path.startsWith('node_modules/') || link || optional || installed[path]?.version === version,
    );
  } catch {
    return false;
  }
}

const npx = (name) => at(`node_modules/.bin/${name}`);
const node = (script) => [process.execPath, [at(`scripts/${script}`)]];

async function prepareRepository({ native }) {
  await once('install', { inputs: MANIFESTS, outputs: ['node_modules/.package-lock.json'] }, async () => {
    if (!isInstalled()) await run('npm ci', 'npm', ['ci', '--ignore-scripts']);
  });
  await once(
    'generate',
    {
      inputs: ['package-lock.json', 'apps/engine/buf.gen.yaml', 'apps/engine/buf.yaml', 'apps/engine/src/protocol/**.proto'],
      outputs: ['apps/engine/src/protocol/gen/task'],
    },
    () => run('generate protocol/gen from the .proto files', npx('buf'), ['generate'], { cwd: at('apps/engine') }),
  );
  if (native) await once(
    'native',
    { inputs: ['native', 'scripts/build-native.mjs'], outputs: ['native/build/engine-room.node', 'native/build/runc'] },
    () => run('compile native/', ...node('build-native.mjs')),
  );
  await once(
    'engine',
    {
      inputs: ['package-lock.json', 'apps/engine/src', 'native/native.ts', 'native/arguments.ts', 'scripts/build-engine.mjs', 'scripts/source-location.mjs'],
      outputs: ['apps/engine/dist/lab.cjs'],
    },
    () => run('bundle the engine', ...node('build-engine.mjs')),
  );
  if (native) await once(
    'images',
    {
      inputs: ['apps/engine/images', 'scripts/build-images.mjs', 'scripts/oci-image.mjs'],
      outputs: ['apps/engine/dist/images/busybox.tar', 'apps/engine/dist/images/hello-world.tar'],
    },
    () => run('build the embedded images', ...node('build-images.mjs')),
  );
  await once(
    'web',
    {
      inputs: ['package-lock.json', 'vite.config.ts', 'apps/web', 'apps/engine/src/protocol', 'content'],
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

/** PATH with the tools that were only unpacked. */
export const pathWithTools = () => [join(TOOLS, 'usr/bin'), process.env.PATH ?? ''].join(delimiter);

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
