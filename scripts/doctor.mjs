/** `npm run doctor`: what this machine can and cannot do, and how to mend it. Needs nothing but Node; changes nothing. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { find, NEEDS } from './system-needs.mjs';

const CAPABILITIES = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  SETUID: 7,
  SETGID: 6,
  SETPCAP: 8,
  NET_ADMIN: 12,
  SYS_CHROOT: 18,
  SYS_ADMIN: 21,
  SYS_RESOURCE: 24,
  MKNOD: 27,
};

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
const succeeds = (command, ...args) => {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 10_000 });
    return null;
  } catch (error) {
    return (
      String(error.stderr ?? '')
        .trim()
        .split('\n')
        .at(-1) || error.message.split('\n')[0]
    );
  }
};
const output = (command, ...args) => {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
};

const ok = (found) => ({ state: 'ok', found });
const bad = (found, mend) => ({ state: 'missing', found, mend });
const hint = (found, mend) => ({ state: 'note', found, mend });

const isLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;

function node() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 19)
    ? ok(process.version)
    : bad(process.version, 'install Node 20.19 or newer: https://nodejs.org/en/download');
}

function kernel() {
  if (!isLinux)
    return bad(process.platform, 'containers need a Linux kernel: use a virtual machine');
  const [major, minor] = release().split('.').map(Number);
  // native/README.md names the calls; the newest of them came with 5.11.
  return major > 5 || (major === 5 && minor >= 11)
    ? ok(release())
    : bad(release(), 'a kernel of 5.11 or newer is needed');
}

const architecture = () =>
  ['x64', 'arm64'].includes(process.arch)
    ? ok(process.arch)
    : bad(process.arch, 'x86-64 or arm64 is needed');

const root = () =>
  isRoot
    ? ok('uid 0')
    : bad(`uid ${process.getuid?.()}`, 'namespaces, mounts and cgroups need root: sudo npm start');

function capabilities() {
  const effective = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(read('/proc/self/status'))?.[1] ?? '0'}`);
  const missing = Object.entries(CAPABILITIES)
    .filter(([, bit]) => ((effective >> BigInt(bit)) & 1n) === 0n)
    .map(([name]) => `CAP_${name}`);
  const vital = missing.filter((name) => name !== 'CAP_SYS_RESOURCE');
  if (vital.length > 0)
    return bad(
      `without ${vital.join(', ')}`,
      isRoot
        ? 'this root is itself confined: leave its container, or give it these'
        : 'start as root',
    );
  return missing.length > 0
    ? hint(
        'without CAP_SYS_RESOURCE',
        'hard resource limits cannot be raised: some --ulimit values will fail, as in Docker',
      )
    : ok('all that are needed');
}

function namespaces() {
  const kinds = ['pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup', 'user'];
  const missing = kinds.filter((kind) => !existsSync(`/proc/self/ns/${kind}`));
  if (missing.length > 0)
    return bad(`no ${missing.join(', ')}`, 'a kernel with these namespaces is needed');
  if (!isRoot || !find('unshare')) return ok(kinds.join(' '));
  const problem = succeeds(
    'unshare',
    '--pid',
    '--mount',
    '--uts',
    '--ipc',
    '--net',
    '--fork',
    'true',
  );
  return problem
    ? bad(problem, 'this root may not make namespaces (a confined container?)')
    : ok(kinds.join(' '));
}

function overlay() {
  if (!isRoot || !find('unshare')) {
    return /\boverlay$/m.test(read('/proc/filesystems'))
      ? ok('known to the kernel')
      : hint('not loaded', 'modprobe overlay');
  }
  const where = existsSync('/var/lib') ? '/var/lib' : tmpdir();
  const folder = mkdtempSync(join(where, '.engine-room-doctor-'));
  try {
    const script =
      'cd "$0" && mkdir l u w m && mount -t overlay overlay -o lowerdir=l,upperdir=u,workdir=w m && touch m/x';
    const problem = succeeds('unshare', '--mount', 'sh', '-c', script, folder);
    return problem
      ? bad(
          problem,
          `overlayfs does not work on ${where}: modprobe overlay, or choose --data-root on ext4, xfs or btrfs`,
        )
      : ok(`works on ${where}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function cgroups() {
  const wanted = ['memory', 'pids', 'cpu'];
  const v2 = read('/sys/fs/cgroup/cgroup.controllers').trim().split(' ');
  if (wanted.every((name) => v2.includes(name))) return ok(`v2: ${v2.join(' ')}`);
  const v1 = wanted.filter((name) =>
    new RegExp(`^cgroup \\S+ cgroup (?:\\S*,)?${name}(?:,|\\s)|\\b${name}\\b`, 'm').test(
      cgroupMounts(),
    ),
  );
  if (v1.length === wanted.length) return ok(`v1: ${v1.join(' ')}`);
  return bad(
    `only ${v1.join(' ') || 'none'}`,
    'mount the cgroup hierarchies (systemd does), or boot with systemd.unified_cgroup_hierarchy=1',
  );
}
const cgroupMounts = () =>
  read('/proc/mounts')
    .split('\n')
    .filter((line) => / cgroup /.test(line))
    .map((line) => line.split(' ')[3])
    .join('\n');

const seccomp = () =>
  existsSync('/proc/sys/kernel/seccomp/actions_avail') ||
  /^Seccomp:/m.test(read('/proc/self/status'))
    ? ok('filters are known')
    : bad('none', 'a kernel with CONFIG_SECCOMP_FILTER is needed');

/** In a network namespace that goes with the question. */
function bridges() {
  const problem = succeeds(
    ...['unshare', '--net', 'sh', '-c'],
    'ip link add er0 type bridge && ip link add er1 type veth peer name er2 && ip link set er1 master er0',
  );
  if (problem === null) return ok('bridges and veth pairs can be made');
  return hint(
    problem,
    'without CONFIG_BRIDGE and CONFIG_VETH containers get a loopback interface only',
  );
}

/** What the setup installs by itself for one purpose, each as a check. */
const programs = (purpose, lack) =>
  Object.fromEntries(
    NEEDS[purpose].map(({ what, packages, has }) => [
      what.replace(/^an? /, ''),
      () => {
        const found = has();
        if (found) return ok(typeof found === 'string' ? found : 'is there');
        return lack(
          'not found',
          `apt-get install ${packages.join(' ')} (npm ${purpose} does it as root)`,
        );
      },
    ]),
  );

function dockerClient() {
  const path = find('docker');
  const version = path && output(path, '--version');
  return version
    ? ok(version)
    : hint(
        'no official client',
        'the engine’s own small client is used; the official one: apt-get install docker-cli (or docker.io)',
      );
}

async function port() {
  const wanted = Number(process.env.ENGINE_ROOM_PORT ?? 7070);
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code }) =>
      resolve(hint(`${wanted}: ${code}`, 'Engine Room already runs, or choose another --port')),
    );
    server.listen(wanted, '127.0.0.1', () => server.close(() => resolve(ok(`${wanted} is free`))));
  });
}

const SECTIONS = {
  'To start containers': {
    Node: node,
    'Linux kernel': kernel,
    Processor: architecture,
    Root: root,
    Capabilities: capabilities,
    Namespaces: namespaces,
    overlayfs: overlay,
    cgroups: cgroups,
    seccomp: seccomp,
    Networks: bridges,
  },
  'To build': programs('start', bad),
  'To use': { 'Docker client': dockerClient, Port: port },
  'To test': programs('test', hint),
};
const MARKS = { ok: '✓', missing: '✗', note: '!' };

let lacks = 0;
for (const [title, checks] of Object.entries(SECTIONS)) {
  console.log(`\n${title}`);
  for (const [name, check] of Object.entries(checks)) {
    const { state, found, mend } = await check();
    console.log(`  ${MARKS[state]} ${name.padEnd(15)} ${found}`);
    if (mend) console.log(`    ${''.padEnd(15)} → ${mend}`);
    if (state === 'missing') lacks++;
  }
}
console.log(
  lacks === 0
    ? '\nThis machine can run Engine Room with real containers.'
    : `\n${lacks} thing${lacks === 1 ? ' is' : 's are'} missing. Without ${lacks === 1 ? 'it' : 'them'} the page shows recorded runs.`,
);
process.exitCode = lacks === 0 ? 0 : 1;
