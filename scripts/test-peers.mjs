/**
 * `npm run test:peers`: the heavy peers, installed from Debian's or Ubuntu's packages.
 * The docker CLI's suite runs against a real dockerd, which proves that its expectations are Docker's and not ours;
 * then with our runc below it, our containerd below it, and our dockerd above its containerd; then the same commands
 * of containerd's own client, `ctr`, go to a real containerd and to ours; our shim runs real runc and crun; what people build on Docker (Compose,
 * Testcontainers, the SDKs) is told the same by both engines; and two labs serve one room over a real NATS server.
 * Before all that clang looks at the C in native/: clang-tidy reads it, libFuzzer feeds it plans.
 */
import { readdirSync } from 'node:fs';
import { check, playwright, runSuites, vitest } from './run-suites.mjs';
import { at, find, installMissing, Lack, run } from './system-needs.mjs';

const C_FILES = ['native/src/helper', 'native/src/addon'].flatMap((folder) =>
  readdirSync(at(folder))
    .filter((name) => name.endsWith('.c'))
    .map((name) => `${folder}/${name}`),
);

const PEERS = [
  {
    what: 'dockerd',
    why: 'the real engine, to compare with',
    packages: ['docker.io'],
    has: () => find('dockerd'),
  },
  {
    what: 'docker-registry',
    why: 'a real registry to push to and pull from',
    packages: ['docker-registry'],
    has: () => find('docker-registry'),
  },
  {
    what: 'nats-server',
    why: 'a broker between two labs that serve one room',
    packages: ['nats-server'],
    has: () => find('nats-server'),
  },
  {
    what: 'crun',
    why: 'another runtime, behind our shim',
    packages: ['crun'],
    has: () => find('crun'),
  },
  {
    what: 'clang',
    why: 'libFuzzer, for the helper that reads plans',
    packages: ['clang', 'libclang-rt-dev'],
    has: () => find('clang'),
  },
  {
    what: 'clang-tidy',
    why: 'a second opinion on the C in native/',
    packages: ['clang-tidy'],
    has: () => find('clang-tidy'),
  },
  {
    what: 'docker-compose',
    why: 'many know Docker by it',
    packages: ['docker-compose'],
    has: () => find('docker-compose'),
  },
  {
    what: 'redis',
    why: 'a database to bring up beside a web server',
    packages: ['redis-server'],
    has: () => find('redis-server'),
  },
];

const CORE = ['run', 'exec', 'lifecycle', 'stdio'].map((name) => `e2e/docker-cli/${name}.test.ts`);

try {
  await installMissing(PEERS);
  await run('npm ci for Testcontainers', 'npm', ['ci', '--ignore-scripts'], {
    cwd: at('e2e/sdk/testcontainers'),
  });
} catch (error) {
  if (!(error instanceof Lack)) throw error;
  console.error(`${error.message}\n\n0 passed, 1 failed`);
  process.exit(1);
}

await runSuites([
  check('setup', [process.execPath, 'scripts/ensure.mjs', '--for', 'test'], { fatal: true }),
  check('clang-tidy', ['clang-tidy', '--quiet', ...C_FILES, '--', '-std=gnu17', '-D_GNU_SOURCE']),
  check('plan-fuzz', [process.execPath, 'bench/fuzz-plan.mjs', '--seconds', '20']),
  vitest('docker-cli-real', ['docker-cli'], { env: { DOCKER_CLI_PEER: 'real' } }),
  // Our runc below Debian's dockerd, containerd and shim.
  vitest('docker-cli-our-runc', ['docker-cli'], {
    env: { DOCKER_CLI_PEER: 'our-runc' },
    files: CORE,
  }),
  // The gRPC seam from both sides: Debian's dockerd over our containerd, our dockerd over Debian's.
  vitest('docker-cli-our-containerd', ['docker-cli'], {
    env: { DOCKER_CLI_PEER: 'our-containerd' },
    files: CORE,
  }),
  vitest('docker-cli-our-dockerd', ['docker-cli'], {
    env: { DOCKER_CLI_PEER: 'our-dockerd' },
    files: CORE,
  }),
  // Ours as on a machine without overlayfs, where layers are copies.
  vitest('docker-cli-native', ['docker-cli'], {
    env: { DOCKER_CLI_PEER: 'native' },
    files: [...CORE, 'e2e/docker-cli/archive.test.ts'],
  }),
  vitest('docker-cli-table', ['conformance']),
  vitest('sdk', ['sdk']),
  // Both engines on one network, in a namespace of its own: a real Docker writes packet rules for all of it.
  check('beside-docker', [
    ...['unshare', '--net', '--mount', '--', process.execPath, 'node_modules/vitest/vitest.mjs'],
    ...['run', '--project', 'beside-docker'],
  ]),
  vitest('ctr', ['ctr']),
  vitest('broker', ['broker']),
  // Ours and Debian's components crossed; prints who ran with whom.
  vitest('interop', ['interop']),
  // No peer: every cell, where npm test tries some.
  vitest('crash-matrix-whole', ['crash-matrix'], { env: { CRASH_MATRIX: 'whole' } }),
  vitest('crash-table-whole', ['kernel'], {
    files: ['apps/engine/src/containerd/crash.kernel.test.ts'],
    env: { CRASH_TABLE: 'whole' },
  }),
  vitest('shim-runtimes', ['kernel'], {
    files: ['apps/engine/src/containerd-shim/foreign-runtime.kernel.test.ts'],
    env: { OCI_RUNTIMES: 'runc,crun' },
  }),
  // Every lesson in a browser, on the engine; `npm test` does three of them.
  playwright('lessons-by-keyboard', 'live', {
    files: ['lessons.spec.ts'],
    env: { LESSONS: 'all' },
  }),
]);
