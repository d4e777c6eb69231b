/** `-p` and `-P`: a port of the host that leads into a container, over tcp and udp, and who may have it. */
import { expect, test } from 'vitest';
import { aName, docker } from './support/suite.ts';

/** Answers with its name. What is asked from comes to it through the host, so it shares the host's network. */
async function aServer(...flags: readonly string[]): Promise<string> {
  const name = aName();
  const page = `echo -n ${name} > /tmp/index.html; exec httpd -f -h /tmp`;
  await docker.ok(['run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', page]);
  return name;
}

/** From the engine's own host, where its ports are. Asks again until the server has come up. */
const fromHost = (script: string) =>
  docker(['run', '--rm', '--network', 'host', 'busybox', 'sh', '-c', script]);
const get = (url: string) =>
  fromHost(`for i in $(seq 50); do timeout 5 wget -qO- ${url} && exit; sleep 0.1; done; exit 1`);

/** An address of the host: its end of the bridge. */
const gatewayOf = (name: string) =>
  docker.ok(['inspect', '--format', '{{.NetworkSettings.Gateway}}', name]);

test('-p leads to the container: by loopback, by an address of the host, and from a neighbour', async () => {
  const name = await aServer('-p', '18080:80');

  expect(await get('http://127.0.0.1:18080/')).toMatchObject({ code: 0, stdout: name });
  expect(await get(`http://${await gatewayOf(name)}:18080/`)).toMatchObject({
    code: 0,
    stdout: name,
  });
  const neighbour = await docker([
    ...['run', '--rm', 'busybox', 'timeout', '5', 'wget', '-qO-'],
    `http://${await gatewayOf(name)}:18080/`,
  ]);
  expect(neighbour).toMatchObject({ code: 0, stdout: name });
  expect(await docker.ok(['port', name, '80'])).toContain('0.0.0.0:18080');
  expect(await docker.ok(['ps', '--format', '{{.Ports}}', '--filter', `name=${name}`])).toContain(
    '0.0.0.0:18080->80/tcp',
  );
});

test('the port is free again when the container has gone', async () => {
  const first = await aServer('-p', '18081:80');
  const refused = await docker('run --rm -p 18081:80 busybox true'.split(' '));
  expect(refused.code).toBe(125);
  expect(refused.stderr).toContain('Bind for 0.0.0.0:18081 failed: port is already allocated');

  await docker.ok(['rm', '-f', first]);
  const second = await aServer('-p', '18081:80');

  expect((await get('http://127.0.0.1:18081/')).stdout).toBe(second);
});

test('a port that another program has is refused', async () => {
  const holder = aName();
  await docker.ok(
    `run -d --name ${holder} --network host busybox nc -ll -p 18082 -e true`.split(' '),
  );
  // It listens when the kernel lists it.
  const listens = await fromHost(
    'for i in $(seq 100); do netstat -ltn | grep -q :18082 && exit; sleep 0.1; done; exit 1',
  );
  expect(listens.code).toBe(0);

  const refused = await docker('run --rm -p 18082:80 busybox true'.split(' '));

  expect(refused.code).toBe(125);
  expect(refused.stderr).toContain('address already in use');
});

test('a host ip: only there', async () => {
  const name = await aServer('-p', '127.0.0.1:18083:80');

  expect((await get('http://127.0.0.1:18083/')).stdout).toBe(name);
  expect(
    (await fromHost(`timeout 5 wget -qO- http://${await gatewayOf(name)}:18083/`)).code,
  ).not.toBe(0);
  expect(await docker.ok(['port', name])).toBe('80/tcp -> 127.0.0.1:18083');
});

test('-P and a range: some free port, and each container another one', async () => {
  const all = await aServer('-P', '--expose', '80');
  const [, port = ''] = /:(\d+)/.exec(await docker.ok(['port', all, '80'])) ?? [];
  expect((await get(`http://127.0.0.1:${port}/`)).stdout).toBe(all);

  const one = await aServer('-p', '18090-18091:80');
  const two = await aServer('-p', '18090-18091:80');
  const ports = [await docker.ok(['port', one, '80']), await docker.ok(['port', two, '80'])];
  expect(ports.map((text) => /0\.0\.0\.0:(\d+)/.exec(text)?.[1])).toEqual(['18090', '18091']);
  expect((await get('http://127.0.0.1:18091/')).stdout).toBe(two);
  const third = await docker('run --rm -p 18090-18091:80 busybox true'.split(' '));
  expect(third.code).toBe(125);
});

test('what only EXPOSE names is shown and not published', async () => {
  const name = await aServer('--expose', '80');

  expect(await docker.ok(['ps', '--format', '{{.Ports}}', '--filter', `name=${name}`])).toBe(
    '80/tcp',
  );
  expect(await docker.ok(['port', name])).toBe('');
});

test.each([
  ['-p 99999:80', /invalid/i],
  ['-p 80:80:80:80', /invalid/i],
  ['-p 1.2.3:80:80', /invalid/i],
])('docker run %s', async (flags, sentence) => {
  const { code, stderr } = await docker(`run --rm ${flags} busybox true`.split(' '));

  expect(code).toBe(125);
  expect(stderr).toMatch(sentence);
});
