/** The API over TCP, plain and with TLS on both sides: who gets in, who does not, and what is said about it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dockerFor, type Docker } from '../support/docker.ts';
import { type BareDaemon, startBareDaemon } from './support/bare-daemon.ts';
import { importBusybox } from './support/busybox-image.ts';
import { freePort } from '../support/free-port.ts';

const openssl = (folder: string, args: string): void => {
  execFileSync('openssl', args.split(' '), { cwd: folder, stdio: 'ignore' });
};

/** An authority, and for each name a key and a certificate that it has signed. */
const makeCertificates = (folder: string): void => {
  for (const authority of ['ca', 'other-ca']) {
    openssl(
      folder,
      `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=${authority} -keyout ${authority}-key.pem -out ${authority}.pem`,
    );
  }
  writeFileSync(join(folder, 'ext'), 'subjectAltName=IP:127.0.0.1\n');
  const signed = [
    ['server', 'ca'],
    ['client', 'ca'],
    ['stranger', 'other-ca'],
  ] as const;
  for (const [name, authority] of signed) {
    openssl(
      folder,
      `req -newkey rsa:2048 -nodes -subj /CN=${name} -keyout ${name}-key.pem -out ${name}.csr`,
    );
    openssl(
      folder,
      `x509 -req -days 2 -in ${name}.csr -CA ${authority}.pem -CAkey ${authority}-key.pem -CAcreateserial -extfile ext -out ${name}.pem`,
    );
  }
};

let secure: BareDaemon;
let plain: BareDaemon;
let securePort: number;
let plainPort: number;
let docker: Docker;

beforeAll(async () => {
  [securePort, plainPort] = [await freePort(), await freePort()];
  [secure, plain] = await Promise.all([
    startBareDaemon(
      (root) => [
        ...['-H', `tcp://127.0.0.1:${securePort}`, '--tlsverify'],
        ...['--tlscacert', join(root, 'ca.pem'), '--tlscert', join(root, 'server.pem')],
        ...['--tlskey', join(root, 'server-key.pem')],
      ],
      makeCertificates,
    ),
    startBareDaemon(() => ['-H', `tcp://127.0.0.1:${plainPort}`]),
  ]);
  docker = dockerFor(secure);
  importBusybox(secure.root, secure.socket);
}, 120_000);
afterAll(async () => {
  await Promise.all([secure, plain].map((daemon) => daemon.stop()));
});

const asClient = (name: string, ...args: string[]) => [
  ...['-H', `tcp://127.0.0.1:${securePort}`, '--tlsverify'],
  ...['--tlscacert', join(secure.root, 'ca.pem')],
  ...['--tlscert', join(secure.root, `${name}.pem`)],
  ...['--tlskey', join(secure.root, `${name}-key.pem`), ...args],
];

test('a client whom the authority has signed is served, streams included', async () => {
  const { code, stdout, stderr } = await docker(
    asClient(
      'client',
      ...['run', '--rm', '-i', '--network', 'none', 'busybox', 'sh', '-c', 'cat; echo e >&2'],
    ),
    { input: 'in and out\n' },
  );

  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'in and out\n', stderr: 'e\n' });
});

test('a stranger is not, and neither is one without a certificate or without TLS', async () => {
  const stranger = await docker(asClient('stranger', 'version'));
  const nobody = await docker([...['-H', `tcp://127.0.0.1:${securePort}`, '--tls', 'version']]);
  const withoutTls = await docker(['-H', `tcp://127.0.0.1:${securePort}`, 'version']);

  expect([stranger.code, nobody.code, withoutTls.code]).toEqual([1, 1, 1]);
  expect(stranger.stderr).toMatch(/tls: |remote error|EOF|reset/);
  expect(withoutTls.stderr).toMatch(/HTTP|EOF|reset|malformed/);
});

test('without TLS everybody is, and the daemon says how dangerous that is', async () => {
  const address = `tcp://127.0.0.1:${plainPort}`;

  const info = await docker(['-H', address, 'info']);

  expect(info.code).toBe(0);
  expect(info.stderr + info.stdout).toContain(
    `WARNING: API is accessible on http://127.0.0.1:${plainPort} without encryption.`,
  );
  expect(plain.said()).toContain(
    `${address}: Binding to IP address without --tlsverify is insecure and gives root access`,
  );
  expect(secure.said()).not.toContain('insecure');
});

test('the versions are negotiated over TCP as over the socket', async () => {
  const answers = await Promise.all(
    ['1.24', '1.23', '1.51'].map((version) =>
      fetch(`http://127.0.0.1:${plainPort}/v${version}/version`),
    ),
  );

  expect(answers.map(({ status }) => status)).toEqual([200, 400, 400]);
  expect(await answers[1]?.json()).toEqual({
    message:
      'client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  });
});

/** Of our engines, in our network namespace. (What /sys shows is that of whoever mounted it.) */
const bridges = (): readonly string[] =>
  readFileSync('/proc/self/net/dev', 'utf8').match(/engine-room\d+/g) ?? [];

test('a port that is taken, and files that are none, end the start with a sentence and leave nothing', async () => {
  let root = '';
  const before = bridges();
  expect(before).not.toEqual([]);
  const taken = startBareDaemon(
    () => ['-H', `tcp://127.0.0.1:${plainPort}`],
    (folder) => (root = folder),
  );
  await expect(taken).rejects.toThrow(/EADDRINUSE|address already in use/);
  expect(bridges()).toEqual(before);
  expect(existsSync(root)).toBe(false);

  const noKey = startBareDaemon(() => ['--tlsverify', '--tlscert', '/nosuch.pem']);
  await expect(noKey).rejects.toThrow('could not load X509 key pair (cert: "/nosuch.pem"');
});
