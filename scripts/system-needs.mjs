/**
 * What the setup needs of the machine: programs, and the packages of Debian and Ubuntu that bring them.
 * Needs nothing but Node itself.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Tools that are unpacked here instead of being installed, such as the docker client without its daemon. */
const TOOLS = join(ROOT, '.tmp/tools');
/** What a failed command said last; its beginning is seldom of use. */
const LAST_LINES = 40;
const LEAST_NODE = [20, 19];
/** Somebody else may be installing something: their turn first. */
const APT_WAITS = ['-o', 'DPkg::Lock::Timeout=300'];

/** Where Debian's packages of Go sources are, and Docker's SDK among them. */
export const GO_SOURCES = '/usr/share/gocode';
export const GO_SDK = join(GO_SOURCES, 'src/github.com/docker/docker/client');

/** A lack that a person must mend; the message says how. Without what is vital not even the page works. */
export class Lack extends Error {
  constructor(message, { isVital = false } = {}) {
    super(message);
    this.isVital = isVital;
  }
}

export const say = (text) => process.stderr.write(`${text}\n`);
export const at = (path) => join(ROOT, path);
const isRoot = process.getuid?.() === 0;

/** Runs a command, shows its output only when it fails, and says what it is for. */
export async function run(
  purpose,
  command,
  args,
  { cwd = ROOT, env = process.env, isVital = false } = {},
) {
  const begin = performance.now();
  if (process.stderr.isTTY) process.stderr.write(`  … ${purpose}`);
  else say(`  … ${purpose}`);
  const path = [at('node_modules/.bin'), env.PATH ?? ''].join(delimiter);
  const child = spawn(command, args, {
    cwd,
    env: { ...env, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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
  if (code !== 0) {
    const words = output.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
    throw new Lack(`${purpose} failed:\n${words}\n(${command} ${args.join(' ')})`, { isVital });
  }
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

export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])) return;
  throw new Lack(
    `Node ${LEAST_NODE.join('.')} or newer is needed, this is ${process.version}.\n` +
      'See https://nodejs.org/en/download, or on Debian and Ubuntu the packages of https://github.com/nodesource/distributions.',
    { isVital: true },
  );
}

export const NEEDS = {
  start: [
    {
      what: 'a C compiler',
      why: 'runc and the native addon are compiled here',
      packages: ['gcc', 'libc6-dev'],
      has: () => find(process.env.CC ?? 'cc', 'gcc', 'clang'),
    },
    {
      what: 'a C++ compiler',
      why: 'the addon speaks to Node in C++',
      packages: ['g++'],
      has: () => find(process.env.CXX ?? 'c++', 'g++', 'clang++'),
    },
    {
      what: 'a static busybox',
      why: 'it becomes the embedded busybox image',
      packages: ['busybox-static'],
      has: () => hasStaticBusybox(),
    },
  ],
  test: [
    {
      what: 'Chromium',
      why: 'the tests look at the page in a browser',
      packages: ['chromium'],
      has: () => process.env.CHROME_PATH ?? find('chromium', 'chromium-browser', 'google-chrome'),
    },
    {
      what: 'skopeo',
      why: 'the tests read our images with somebody else’s eyes',
      packages: ['skopeo'],
      has: () => find('skopeo'),
    },
    {
      what: 'strace',
      why: 'the trace of runc must agree with the kernel’s',
      packages: ['strace'],
      has: () => find('strace'),
    },
    {
      what: 'openssl',
      why: 'certificates for the tests of TLS',
      packages: ['openssl'],
      has: () => find('openssl'),
    },
    {
      what: 'runc',
      why: 'our error messages must be its',
      packages: ['runc'],
      has: () => find('runc'),
    },
    {
      what: 'ctr',
      why: 'containerd’s own client must find its way in our containerd',
      packages: ['containerd'],
      has: () => find('ctr'),
    },
    {
      what: 'libseccomp',
      why: 'our filters must decide as its filters do',
      packages: ['libseccomp-dev'],
      has: () => existsSync('/usr/include/seccomp.h'),
    },
    {
      what: 'Go and Docker’s SDK for it',
      why: 'a lesson runs a program of it',
      packages: ['golang-go', 'golang-github-docker-docker-dev'],
      has: () => find('go') && existsSync(GO_SDK),
    },
    {
      what: 'Docker’s SDK for Python',
      why: 'a lesson runs a program of it',
      packages: ['python3-docker'],
      has: () => existsSync('/usr/lib/python3/dist-packages/docker/__init__.py'),
    },
    {
      what: 'iproute2',
      why: 'another eye on the networks that we make',
      packages: ['iproute2'],
      has: () => find('ip'),
    },
    {
      what: 'curl and jq',
      why: 'a lesson runs a program of them',
      packages: ['curl', 'jq'],
      has: () => find('curl') && find('jq'),
    },
  ],
};

/** Asking for its applets is cheap; whether it is static is found out when the image is built. */
const hasStaticBusybox = () =>
  ['/bin/busybox', '/usr/bin/busybox', '/usr/local/bin/busybox'].some((path) => existsSync(path)) &&
  (!existsSync('/var/lib/dpkg/info') ||
    existsSync('/var/lib/dpkg/info/busybox-static.list') ||
    !existsSync('/var/lib/dpkg/info/busybox.list'));

export async function installMissing(needs) {
  const missing = needs.filter(({ has }) => !has());
  if (missing.length === 0) return;
  say('This machine lacks:');
  for (const { what, why, packages } of missing) say(`  - ${what} (${packages.join(' ')}): ${why}`);
  const packages = missing.flatMap((need) => need.packages);
  const command = `apt-get install ${packages.join(' ')}`;
  if (!find('apt-get'))
    throw new Lack(`Install it with this system's package manager, then start again.`);
  if (!isRoot) throw new Lack(`Install it with:  sudo ${command}\nthen start again.`);
  // A package must not start a daemon on this machine: invoke-rc.d(8) starts nothing in runlevel 1.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const install = () =>
    run(
      command,
      'apt-get',
      [...APT_WAITS, 'install', '-y', '--no-install-recommends', ...packages],
      {
        env,
      },
    );
  try {
    await install();
  } catch {
    await run('apt-get update', 'apt-get', [...APT_WAITS, 'update'], { env });
    await install();
  }
  const still = missing.filter(({ has }) => !has());
  if (still.length > 0)
    throw new Lack(
      `Still missing after the installation: ${still.map(({ what }) => what).join(', ')}`,
    );
}

/** The official client alone: installing its package would also start a second dockerd. */
export async function ensureDockerClient() {
  if (find('docker')) return;
  if (!find('apt-get') || !find('dpkg-deb')) {
    say('  - no official docker client; the tests that need it are skipped');
    return;
  }
  const folder = join(TOOLS, 'download');
  mkdirSync(folder, { recursive: true });
  for (const name of ['docker-cli', 'docker.io']) {
    try {
      await run(`fetch the docker client (${name})`, 'apt-get', ['download', name], {
        cwd: folder,
      });
      const [archive] = readdirSync(folder).filter((file) => file.startsWith(`${name}_`));
      await run('unpack it into .tmp/tools', 'dpkg-deb', ['-x', join(folder, archive), TOOLS]);
      if (find('docker')) return;
    } catch {
      // Debian has had it under both names.
    }
  }
  say('  - no official docker client could be fetched; the tests that need it are skipped');
}

/** PATH with the tools that were only unpacked. */
export const pathWithTools = () => [join(TOOLS, 'usr/bin'), process.env.PATH ?? ''].join(delimiter);
