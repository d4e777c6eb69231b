/**
 * Asks containerd's own client integration tests of 1.6, test by test, of the real containerd and of ours.
 * They are not in this repository: apps/engine/src/containerd/CONFORMANCE.md says how to build them.
 *
 *   node scripts/containerd-client-tests.mjs BINARY [--only TEST,TEST] [--kind ours]
 *
 * The tests pull from ghcr.io and k8s.gcr.io. In namespaces of its own this script lets these names lead to a registry
 * of this machine, which has images of ours under the names that are asked for.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { at } from './system-needs.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' }, kind: { type: 'string' } },
});
const [binary] = positionals;
if (!binary || process.getuid() !== 0) {
  console.error('needs root, and the tests as a binary: see the head of this file');
  process.exit(2);
}
// Names of hosts, mounts and processes of its own: nothing outside can be led astray or killed.
if (process.env.CLIENT_TESTS_INSIDE !== '1') {
  const unshare = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  // The shell is the first process there, and reaps what the tests leave.
  const command = ['sh', '-c', '"$@"; exit $?', 'sh', process.execPath, ...process.argv.slice(1)];
  const env = { ...process.env, CLIENT_TESTS_INSIDE: '1' };
  process.exit(
    spawnSync('unshare', [...unshare, ...command], { stdio: 'inherit', env }).status ?? 1,
  );
}
const HOSTS = ['ghcr.io', 'k8s.gcr.io', 'registry.k8s.io', 'mcr.microsoft.com', 'gcr.io'];
/** What is asked for, and which of our images stands for it. */
const IMAGES = [
  ['ghcr.io/containerd/busybox:1.32', 'busybox'],
  ['ghcr.io/containerd/volume-copy-up:2.1', 'busybox'],
  ['ghcr.io/containerd/alpine:3.14.0', 'busybox'],
  ['registry.k8s.io/e2e-test-images/busybox:1.29-2', 'busybox'],
  ['k8s.gcr.io/pause:3.6', 'hello-world'],
  ['registry.k8s.io/pause:3.6', 'hello-world'],
];
const OURS = ['busybox', 'hello-world'];
const NATIVE = process.arch === 'x64' ? 'amd64' : process.arch;
const PLATFORMS = [NATIVE, ...['amd64', 'arm64', 'arm', 's390x'].filter((each) => each !== NATIVE)];
const TEST_TIMEOUT_MS = 160_000;
/** Where the tests work, whatever they are told. */
const LEFT = ['/var/lib/containerd-test', '/run/containerd-test', '/tmp/runc-test'];

const folder = mkdtempSync(join(tmpdir(), 'client-tests-'));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Two images of ours in one layout: `name`, an index whose other platforms have the layers of the other one. */
function writeLayout(name) {
  const layout = join(folder, `layout-${name}`);
  const blob = (digest) => join(layout, 'blobs/sha256', digest.slice('sha256:'.length));
  const json = (digest) => JSON.parse(readFileSync(blob(digest), 'utf8'));
  const put = (value, mediaType) => {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = `sha256:${sha256(bytes)}`;
    writeFileSync(blob(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const index = join(layout, 'index.json');
  const [own, other] = [name, OURS.find((each) => each !== name)].map((each) => {
    const archive = `docker-archive:${at(`apps/engine/dist/images/${each}.tar`)}`;
    const copy = ['copy', archive, `oci:${layout}:${each}`];
    execFileSync('skopeo', copy, { stdio: ['ignore', 'ignore', 'inherit'] });
    return JSON.parse(readFileSync(index, 'utf8')).manifests.at(-1);
  });
  const manifests = PLATFORMS.map((architecture, place) => {
    const { mediaType, digest } = place === 0 ? own : other;
    const manifest = json(digest);
    const config = { ...json(manifest.config.digest), architecture };
    const described = put(
      { ...manifest, config: put(config, manifest.config.mediaType) },
      mediaType,
    );
    return { ...described, platform: { os: 'linux', architecture } };
  });
  const whole = put({ schemaVersion: 2, manifests }, 'application/vnd.oci.image.index.v1+json');
  writeFileSync(index, JSON.stringify({ schemaVersion: 2, manifests: [whole] }));
  return layout;
}

async function startRegistry() {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const hosts = join(folder, 'hosts');
  writeFileSync(hosts, `127.0.0.1 localhost ${HOSTS.join(' ')}\n`);
  execFileSync('mount', ['--bind', hosts, '/etc/hosts']);
  const certificate = join(folder, 'certificate.pem');
  const key = join(folder, 'key.pem');
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-days', '2', '-subj', '/CN=stand-in', '-keyout', key, '-out', certificate],
      ...['-addext', `subjectAltName=${HOSTS.map((host) => `DNS:${host}`).join(',')}`],
    ],
    { stdio: 'ignore' },
  );
  const config = join(folder, 'registry.yml');
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n` +
      `storage: {filesystem: {rootdirectory: ${folder}/registry}}\n` +
      `http:\n  addr: 127.0.0.1:443\n  tls: {certificate: ${certificate}, key: ${key}}\n`,
  );
  const registry = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  // The tests are clients in Go, which take their authorities from here.
  process.env.SSL_CERT_FILE = certificate;
  const layouts = Object.fromEntries(OURS.map((name) => [name, writeLayout(name)]));
  for (const [asked, ours] of IMAGES) {
    const copy = [
      'copy',
      '--all',
      '--preserve-digests',
      `oci:${layouts[ours]}`,
      `docker://${asked}`,
    ];
    for (let tries = 0; spawnSync('skopeo', copy).status !== 0; tries++) {
      if (tries === 20) throw new Error(`${asked} does not go into the registry`);
      await setTimeout(200);
    }
  }
  return registry;
}

/** A PATH whose `containerd` is the one that is asked, and whose `runc` can read its state. Ours has no configuration file. */
function pathOf(kind) {
  if (kind === 'real') return process.env.PATH;
  const bin = join(folder, 'bin');
  if (existsSync(bin)) return `${bin}:${process.env.PATH}`;
  mkdirSync(bin);
  symlinkSync(at('apps/engine/bin/runc'), join(bin, 'runc'));
  // The tests choose their options by the name of the runtime.
  symlinkSync(
    at('apps/engine/bin/containerd-shim-engineroom-v2'),
    join(bin, 'containerd-shim-runc-v2'),
  );
  writeFileSync(
    join(bin, 'containerd'),
    `#!/bin/bash\nargs=()\nwhile (($#)); do case $1 in -c|--config) shift ;; *) args+=("$1") ;; esac; shift; done\n` +
      `exec ${at('apps/engine/bin/containerd')} "\${args[@]}"\n`,
    { mode: 0o755 },
  );
  return `${bin}:${process.env.PATH}`;
}

function ask(kind, name) {
  const said = spawnSync(
    binary,
    ['-test.v', '-test.root', '-no-criu', `-test.run=^${name}$`, '-test.timeout=140s'],
    {
      cwd: folder,
      encoding: 'utf8',
      timeout: TEST_TIMEOUT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: 256 * 1024 ** 2,
      env: { ...process.env, PATH: pathOf(kind), TEST_RUNTIME: 'io.containerd.runc.v2' },
    },
  );
  const output = said.stdout + said.stderr;
  const result = new RegExp(`^--- (PASS|FAIL|SKIP): ${name} `, 'm').exec(output)?.[1] ?? 'FAIL';
  mkdirSync(join(folder, kind), { recursive: true });
  writeFileSync(join(folder, kind, name), output);
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n').reverse()) {
    const target = line.split(' ')[4] ?? '';
    if (/^\/(var\/lib|run)\/containerd-test\//.test(target)) spawnSync('umount', ['-l', target]);
  }
  for (const left of leftovers()) process.kill(left, 'SIGKILL');
  for (const left of LEFT) rmSync(left, { recursive: true, force: true });
  return result;
}

/** Daemons and shims of a test that ended badly. Only what this pid namespace has can be seen here. */
const leftovers = () =>
  execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => /containerd-test|\/containerd-shim|^ *\d+ containerd/.test(line))
    .map((line) => Number(line.trim().split(' ')[0]))
    .filter((pid) => pid !== process.pid && pid > 1);

process.env.PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
const registry = await startRegistry();
const names = execFileSync(binary, ['-test.list', '.*', '-test.short'], { encoding: 'utf8' })
  .split('\n')
  .filter((name) => name.startsWith('Test'))
  .filter((name) => values.only === '' || values.only.split(',').includes(name));
const kinds = values.kind ? [values.kind] : ['real', 'ours'];
const counts = Object.fromEntries(kinds.map((kind) => [kind, { PASS: 0, FAIL: 0, SKIP: 0 }]));
for (const name of names) {
  const results = kinds.map((kind) => ask(kind, name));
  kinds.forEach((kind, index) => (counts[kind][results[index]] += 1));
  console.log(`${results.map((result) => result.padEnd(5)).join('')} ${name}`);
}
console.log(JSON.stringify(counts), `\noutputs: ${folder}`);
registry.kill();
