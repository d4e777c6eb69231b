/** Our engine, skopeo and a real registry with TLS and a password: what one pushes, the others pull. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dockerFor, type Docker } from '../support/docker.ts';
import { startOurEngine, type OurEngine } from '../support/our-engine.ts';
import { type Registry, startRegistry } from './support/registry.ts';
import { type TestImage, writeTestImage } from './support/test-image.ts';

const run = promisify(execFile);
/** `somebody` with the password `secret`, as htpasswd -B would write it. */
const HTPASSWD = 'somebody:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';

let folder: string;
let registry: Registry;
let engine: OurEngine;
let docker: Docker;
let image: TestImage;
const CREDENTIALS = ['--username', 'somebody', '--password', 'secret'];

const isUp = (host: string): Promise<boolean> =>
  new Promise((resolve) => {
    get(`https://${host}/v2/`, { rejectUnauthorized: false }, (answer) => {
      answer.resume();
      resolve(true);
    }).on('error', () => resolve(false));
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'docker-registry-'));
  const [key, cert, passwords] = ['key', 'cert', 'passwords'].map((name) => join(folder, name));
  execFileSync(
    'openssl',
    `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=registry -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${cert}`.split(
      ' ',
    ),
    { stdio: 'ignore' },
  );
  writeFileSync(passwords ?? '', HTPASSWD);
  registry = await startRegistry({
    http: `  tls: {certificate: ${cert}, key: ${key}}\n`,
    extra: `auth:\n  htpasswd: {realm: test, path: ${passwords}}\n`,
    isUp,
  });
  image = await writeTestImage(join(folder, 'image.tar'), 'example.com/test/box:1');
  engine = await startOurEngine();
  docker = dockerFor(engine);
}, 120_000);
afterAll(async () => {
  await engine.stop();
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

const skopeo = (...args: string[]) => run('skopeo', args, { timeout: 60_000 });
const inRegistry = (name: string) => `${registry.host}/${name}`;

test('without the password nothing is pushed, and with a wrong one there is no login', async () => {
  await docker.ok(['tag', 'busybox', inRegistry('test/busybox:1')]);

  const pushed = await docker(['push', inRegistry('test/busybox:1')]);
  const wrong = await docker(['login', '-u', 'somebody', '-p', 'guess', registry.host]);

  expect([pushed.code, wrong.code]).toEqual([1, 1]);
  expect(pushed.stderr).toBe('no basic auth credentials\n');
  expect(wrong.stderr).toContain('unauthorized: incorrect username or password');
});

test('with it, push says what it did, and skopeo finds the same digest', async () => {
  await docker.ok(['login', ...CREDENTIALS, registry.host]);
  const name = inRegistry('test/busybox:1');

  const said = await docker.ok(['push', name]);

  expect(said).toContain(`The push refers to repository [${inRegistry('test/busybox')}]`);
  expect(said).toMatch(/Pushed/);
  const [, digest = ''] = /1: digest: (sha256:[0-9a-f]{64}) size: \d+/.exec(said) ?? [];
  const { stdout } = await skopeo(
    'inspect',
    '--tls-verify=false',
    '--creds',
    'somebody:secret',
    '--format',
    '{{.Digest}}',
    `docker://${name}`,
  );
  expect(stdout.trim()).toBe(digest);
  expect(await docker.ok(['push', name])).toContain('Layer already exists');
});

test('what was pushed is pulled again, with the same id, and runs', async () => {
  const name = inRegistry('test/busybox:1');
  const id = await docker.ok(['images', '--quiet', '--no-trunc', name]);
  await docker.ok(['rmi', name]);

  const said = await docker.ok(['pull', name]);

  expect(said).toContain(`Status: Downloaded newer image for ${name}`);
  expect(await docker.ok(['images', '--quiet', '--no-trunc', name])).toBe(id);
  expect(await docker.ok(['run', '--rm', name, 'echo', 'pulled'])).toBe('pulled');
});

test.each(['gzip', 'zstd'])('an image that skopeo pushed with %s layers runs', async (format) => {
  const name = inRegistry(`test/${format}:1`);
  await skopeo(
    'copy',
    '--dest-tls-verify=false',
    '--dest-creds',
    'somebody:secret',
    '--dest-compress-format',
    format,
    '--format',
    'oci',
    `oci-archive:${image.archive}`,
    `docker://${name}`,
  );

  await docker.ok(['pull', name]);

  expect(await docker.ok(['run', '--rm', name])).toBe('from the image');
  expect(await docker.ok(['run', '--rm', name, 'ls', '/etc'])).not.toContain('old');
});

test('save and load, through skopeo and back, keep every digest', async () => {
  const saved = join(folder, 'saved.tar');
  const layout = join(folder, 'layout');
  mkdirSync(layout);
  await docker.ok(['load', '--input', image.archive]);

  await docker.ok(['save', '--output', saved, image.name]);
  await skopeo('copy', `oci-archive:${saved}`, `oci:${layout}:1`);
  const { stdout } = await skopeo('inspect', '--format', '{{.Digest}}', `oci:${layout}:1`);
  expect(stdout.trim()).toBe(image.manifest);

  const back = join(folder, 'back.tar');
  await skopeo('copy', `oci:${layout}:1`, `oci-archive:${back}:example.com/test/back:1`);
  await docker.ok(['load', '--input', back]);
  expect(await docker.ok(['images', '--quiet', '--no-trunc', 'example.com/test/back:1'])).toBe(
    image.manifest,
  );
  const old = await skopeo('inspect', '--format', '{{.Name}}', `docker-archive:${saved}`).then(
    ({ stdout: text }) => text.trim(),
  );
  expect(old).toBe('');
});

test('an image that was committed is pushed and pulled by skopeo', async () => {
  const name = inRegistry('test/committed:1');
  await docker.ok(['run', '--name', 'to-commit', 'busybox', 'sh', '-c', 'echo kept > /kept']);
  await docker.ok(['commit', 'to-commit', name]);
  await docker.ok(['rm', 'to-commit']);

  await docker.ok(['push', name]);
  const target = join(folder, 'committed');
  await skopeo(
    'copy',
    '--src-tls-verify=false',
    '--src-creds',
    'somebody:secret',
    `docker://${name}`,
    `dir:${target}`,
  );

  const { stdout } = await skopeo('inspect', '--config', `dir:${target}`);
  const { rootfs } = JSON.parse(stdout) as { rootfs: { diff_ids: string[] } };
  expect(rootfs.diff_ids).toHaveLength(2);
});
