/**
 * Builds native/: the addon `native/build/engine-room.node` and the helper `native/build/runc`.
 *
 * No node-gyp: two compiler calls per file are all there is to it, and nothing is downloaded. Unchanged inputs are not
 * compiled again (a hash of all of them lies beside the results).
 */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const native = fileURLToPath(new URL('../native', import.meta.url));
const build = join(native, 'build');
const require = createRequire(join(native, 'package.json'));

const words = (text) => text.trim().split(/\s+/);

// Each brake is looked for in the results by native/test/hardening.kernel.test.ts.
const HARDENED = [
  ...words('-fstack-protector-strong -fstack-clash-protection'),
  process.arch === 'x64' ? '-fcf-protection=full' : '-mbranch-protection=standard',
];
const LINKED = words('-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code');
const FORTIFIED = words('-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2');

const C = words('-std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -Wconversion -Werror');
const ADDON_C = [...C, ...HARDENED, ...FORTIFIED, ...words('-fPIC -fvisibility=hidden')];
// -O1: these files only convert values, and the compiler's time is worth more than theirs.
const ADDON_CC = [
  ...HARDENED,
  ...FORTIFIED,
  ...words('-std=c++17 -O1 -Wall -Wextra -Wconversion -Werror -fPIC -fvisibility=hidden'),
  ...words('-fno-exceptions -fno-rtti -DNAPI_VERSION=9 -DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS'),
  ...['node-addon-api', 'node-api-headers'].flatMap((name) => ['-isystem', headers(name)]),
];
// The helper has no C library (src/helper/system_call.h), so the compiler must not assume one either.
// Position-independent, without a single relocation: there is no loader to apply one.
const HELPER = [
  ...C,
  ...HARDENED,
  ...words('-mstack-protector-guard=global -ffreestanding -fno-tree-loop-distribute-patterns'),
  ...words('-fno-asynchronous-unwind-tables -fPIE -fvisibility=hidden -ffunction-sections'),
  ...words(
    '-static-pie -nostdlib -s -Wl,--gc-sections -Wl,--build-id=none -Wl,--no-dynamic-linker',
  ),
  ...LINKED,
];

function headers(name) {
  const folder = dirname(require.resolve(`${name}/package.json`));
  return name === 'node-api-headers' ? join(folder, 'include') : folder;
}

function findCompiler(variable, candidates, aptPackage) {
  for (const name of [process.env[variable], ...candidates].filter(Boolean)) {
    try {
      const version = execFileSync(name, ['--version'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return { name, version: version.split('\n')[0] };
    } catch {
      // not this one
    }
  }
  throw new Error(
    `no ${candidates[0]} compiler found; on Debian or Ubuntu: sudo apt-get install ${aptPackage}`,
  );
}

function sources(folder, ...endings) {
  return readdirSync(join(native, 'src', folder))
    .filter((name) => endings.some((ending) => name.endsWith(ending)))
    .map((name) => join(native, 'src', folder, name))
    .sort();
}

function hashOfInputs(compilers) {
  const hash = createHash('sha256');
  const files = ['helper', 'addon'].flatMap((folder) => sources(folder, '.c', '.cc', '.h'));
  for (const file of [...files, join(native, 'src/plan.h'), fileURLToPath(import.meta.url)])
    hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
  for (const name of ['node-addon-api', 'node-api-headers'])
    hash.update(readFileSync(require.resolve(`${name}/package.json`)));
  for (const { name, version } of compilers) hash.update(`${name} ${version} ${process.arch}\0`);
  return hash.digest('hex');
}

const run = promisify(execFile);

async function compile(command, args) {
  try {
    await run(command, args);
  } catch (error) {
    throw new Error(`${command} failed:\n${error.stderr || error.message}`);
  }
}

/** Runs all jobs, as many at a time as there are processors. */
async function inParallel(jobs) {
  const queue = [...jobs];
  const worker = async () => {
    for (let job = queue.shift(); job; job = queue.shift()) await job();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

async function buildNative() {
  if (process.platform !== 'linux') throw new Error('the native part needs Linux');
  const cc = findCompiler('CC', ['cc', 'gcc', 'clang'], 'gcc libc6-dev');
  const cxx = findCompiler('CXX', ['c++', 'g++', 'clang++'], 'g++');
  const stamp = join(build, 'inputs.sha256');
  const hash = hashOfInputs([cc, cxx]);
  const results = ['engine-room.node', 'runc'].map((name) => join(build, name));
  if ([stamp, ...results].every(existsSync) && readFileSync(stamp, 'utf8') === hash)
    return 'unchanged';

  // In a folder of its own and moved at the end: a running engine never sees half a file.
  const work = join(build, `work-${process.pid}`);
  mkdirSync(work, { recursive: true });
  try {
    const object = (file) => join(work, `${basename(file)}.o`);
    const addon = [...sources('addon', '.cc'), ...sources('addon', '.c')];
    await inParallel([
      ...addon.map((file) => () => {
        const isC = file.endsWith('.c');
        return compile(isC ? cc.name : cxx.name, [
          ...(isC ? ADDON_C : ADDON_CC),
          '-c',
          file,
          '-o',
          object(file),
        ]);
      }),
      () => compile(cc.name, [...HELPER, ...sources('helper', '.c'), '-o', join(work, 'runc')]),
    ]);
    await compile(cxx.name, [
      '-shared',
      '-s',
      ...LINKED,
      ...addon.map(object),
      '-o',
      join(work, 'engine-room.node'),
    ]);
    for (const file of results) renameSync(join(work, basename(file)), file);
    writeFileSync(stamp, hash);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return 'built';
}

try {
  const begin = performance.now();
  const outcome = await buildNative();
  console.log(`native: ${outcome} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
} catch (error) {
  console.error(`native: ${error.message}`);
  process.exitCode = 1;
}
