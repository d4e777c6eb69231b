/**
 * Our engine, a real registry, and between them a proxy that breaks things: a pull ends whole or not at all, and
 * nobody sees a password that is not for him.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { dockerFor, type Docker } from '../support/docker.ts';
import { startOurEngine, type OurEngine } from '../support/our-engine.ts';
import { type FaultyProxy, startFaultyProxy } from './support/faulty-proxy.ts';
import { type Registry, startRegistry } from './support/registry.ts';
import { type TestImage, writeTestImage } from './support/test-image.ts';

const run = promisify(execFile);
const REPOSITORY = 'library/box';

let folder: string;
let registry: Registry;
/** The second of two mirrors; the first one is `broken`. */
let mirror: FaultyProxy;
let broken: FaultyProxy;
let proxy: FaultyProxy;
let engine: OurEngine;
let docker: Docker;
let image: TestImage;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'registry-faults-'));
  registry = await startRegistry();
  image = await writeTestImage(join(folder, 'image.tar'), 'example.com/test/box:1');
  for (const tag of ['1', '2'])
    await run('skopeo', [
      ...['copy', '--dest-tls-verify=false', `oci-archive:${image.archive}`],
      `docker://${registry.host}/${REPOSITORY}:${tag}`,
    ]);
  broken = await startFaultyProxy(registry.host);
  mirror = await startFaultyProxy(registry.host);
  engine = await startOurEngine(
    [broken, mirror].flatMap(({ host }) => ['--registry-mirror', `http://${host}`]),
  );
  docker = dockerFor(engine);
}, 120_000);
afterAll(async () => {
  await engine.stop();
  for (const each of [broken, mirror]) await each.stop();
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  proxy = await startFaultyProxy(registry.host);
});
afterEach(async () => {
  for (const tag of ['1', '2']) await docker(['rmi', named(tag)]);
  await proxy.stop();
});

const named = (tag: string) => `${proxy.host}/${REPOSITORY}:${tag}`;
const layer = () => image.layers[0] ?? '';
const ctr = async (...args: readonly string[]): Promise<string> =>
  (
    await run('ctr', [
      ...['--address', join(engine.execRoot, 'containerd.sock'), '--namespace', 'moby'],
      ...args,
    ])
  ).stdout;
const asked = (digest: string) => proxy.seen.filter(({ path }) => path.endsWith(digest));
const runs = async (): Promise<void> => {
  expect(await docker.ok(['run', '--rm', named('1')])).toBe('from the image');
};

test('a connection that is cut goes on where it stopped', async () => {
  proxy.fail(new RegExp(layer()), { kind: 'cut', afterBytes: 100_000 });

  await docker.ok(['pull', named('1')]);

  expect(asked(layer()).map(({ range }) => range)).toEqual([
    undefined,
    expect.stringMatching(/^bytes=[1-9]\d*-$/),
  ]);
  await runs();
});

test('bytes that are not what the manifest names are refused, nothing of them is kept, and the next pull works', async () => {
  proxy.fail(new RegExp(layer()), { kind: 'flip' });

  const { code, stderr } = await docker(['pull', named('1')]);

  expect(code).toBe(1);
  expect(stderr).toContain(`filesystem layer verification failed for digest ${layer()}`);
  expect(await ctr('content', 'ls', '-q')).not.toContain(layer());
  expect(await docker.ok(['images', '--quiet', named('1')])).toBe('');
  await docker.ok(['pull', named('1')]);
  await runs();
});

test('a slow registry is waited for, and the progress is told', async () => {
  proxy.fail(new RegExp(layer()), { kind: 'trickle', bytes: 1000 });

  const said = await docker.ok(['pull', named('1')]);

  expect(said).toContain('Pull complete');
  await runs();
});

test('too many requests and a registry that is down for a moment are asked again', async () => {
  const busy = { kind: 'answer', status: 429, headers: { 'Retry-After': '1' } } as const;
  proxy.fail(/\/manifests\//, busy, { kind: 'answer', status: 503 });
  proxy.fail(new RegExp(layer()), { kind: 'answer', status: 502 }, busy);

  await docker.ok(['pull', named('1')]);

  expect(asked(layer())).toHaveLength(3);
  await runs();
});

test('a registry that stays down is told by its status, after some attempts', async () => {
  proxy.fail(
    /\/manifests\//,
    ...Array.from({ length: 9 }, () => ({ kind: 'answer' as const, status: 503 })),
  );

  const { code, stderr } = await docker(['pull', named('1')]);

  expect(code).toBe(1);
  expect(stderr).toContain('received unexpected HTTP status: 503 Service Unavailable');
});

test('a store to which the registry sends us never sees the password, which a credential helper keeps', async () => {
  const store = await startFaultyProxy(registry.host);
  proxy.demand(`Basic ${Buffer.from('somebody:secret').toString('base64')}`);
  proxy.fail(new RegExp(layer()), { kind: 'redirect', to: `http://${store.host}` });
  const config = mkdtempSync(join(folder, 'config-'));
  const helper = join(config, 'docker-credential-test');
  writeFileSync(
    helper,
    `#!/bin/sh\nread server\n[ "$1 $server" = "get ${proxy.host}" ] || exit 1\n` +
      `echo '{"ServerURL":"${proxy.host}","Username":"somebody","Secret":"secret"}'\n`,
  );
  chmodSync(helper, 0o755);
  const credHelpers = { [proxy.host]: 'test' };
  writeFileSync(join(config, 'config.json'), JSON.stringify({ credHelpers }));
  const env = {
    DOCKER_CONFIG: config,
    PATH: [config, process.env['PATH'] ?? ''].join(delimiter),
  };

  const refused = await docker(['pull', named('1')]);
  await docker.ok(['pull', named('1')], { env });

  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('no basic auth credentials');
  expect(store.seen).toEqual([
    expect.objectContaining({
      path: expect.stringContaining(layer()) as unknown,
      authorization: undefined,
    }),
  ]);
  await runs();
  await store.stop();
});

test('two pulls that share their layers unpack each of them once', async () => {
  const listener = execFile('ctr', [
    ...['--address', join(engine.execRoot, 'containerd.sock'), '--namespace', 'moby', 'events'],
  ]);
  let said = '';
  listener.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  // The first layer comes when both have asked for everything else.
  let letGo = (): void => undefined;
  const until = new Promise<void>((resolve) => (letGo = resolve));
  proxy.fail(new RegExp(layer()), { kind: 'hold', until }, { kind: 'hold', until });

  const pulls = ['1', '2'].map((tag) => docker.ok(['pull', named(tag)]));
  await expect
    .poll(() => proxy.seen.filter(({ path }) => /\/manifests\/[12]$/.test(path)).length)
    .toBeGreaterThanOrEqual(2);
  letGo();
  await Promise.all(pulls);

  await expect.poll(() => said).toContain(`/images/create`);
  listener.kill('SIGTERM');
  const prepared = [...said.matchAll(/\/snapshot\/prepare.*extract-/g)];
  expect(prepared).toHaveLength(image.layers.length);
  await runs();
});

test('a mirror that fails in the middle of a pull is given up for the next one', async () => {
  const before = broken.seen.length;
  broken.fail(new RegExp(layer()), { kind: 'answer', status: 404 });

  await docker.ok(['pull', 'box:2']);

  expect(broken.seen.slice(before).some(({ path }) => path.endsWith(layer()))).toBe(true);
  expect(mirror.seen.some(({ path }) => path.endsWith(layer()))).toBe(true);
  expect(await docker.ok(['run', '--rm', 'box:2'])).toBe('from the image');
  await docker.ok(['rmi', 'box:2']);
});

test('what Docker Hub would be asked for is asked of the mirrors, in their order, without its password', async () => {
  broken.fail(/./, ...Array.from({ length: 20 }, () => ({ kind: 'answer' as const, status: 404 })));
  const config = mkdtempSync(join(folder, 'hub-'));
  const auth = Buffer.from('somebody:secret').toString('base64');
  const auths = { 'https://index.docker.io/v1/': { auth } };
  writeFileSync(join(config, 'config.json'), JSON.stringify({ auths }));

  await docker.ok(['pull', 'box:1'], { env: { DOCKER_CONFIG: config } });

  expect(await docker.ok(['run', '--rm', 'box:1'])).toBe('from the image');
  expect(broken.seen.length).toBeGreaterThan(0);
  const paths = mirror.seen.map(({ path }) => path);
  expect(paths).toContain(`/v2/${REPOSITORY}/manifests/1`);
  for (const { authorization } of [...broken.seen, ...mirror.seen])
    expect(authorization).toBeUndefined();
  expect(await docker.ok(['info', '--format', '{{.RegistryConfig.Mirrors}}'])).toContain(
    mirror.host,
  );
  await docker.ok(['rmi', 'box:1']);
});
