/** Bridges: addresses, the names of neighbours, what keeps two networks apart, joining and leaving at run time. */
import { afterEach, expect, test } from 'vitest';
import { ask as askApi } from './support/ask.ts';
import { aName, docker, isReal } from './support/suite.ts';

const made: string[] = [];

/** A network of its own for a test, removed afterwards. */
async function aNetwork(...flags: readonly string[]): Promise<string> {
  const name = `net-${process.pid}-${Math.random().toString(16).slice(2, 8)}`;
  await docker.ok(['network', 'create', ...flags, name]);
  made.push(name);
  return name;
}

/** Runs until it is removed, and answers every request with its own name. */
async function aServer(...flags: readonly string[]): Promise<string> {
  const name = aName();
  const page = `echo -n ${name} > /tmp/index.html; exec httpd -f -h /tmp`;
  await docker.ok(['run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', page]);
  return name;
}

/** Asks again until the server inside has come up. */
const ask = (from: string, url: string) =>
  docker([
    'exec',
    from,
    'sh',
    '-c',
    `for i in $(seq 50); do timeout 5 wget -qO- ${url} && exit; sleep 0.1; done; exit 1`,
  ]);

const format = (name: string, template: string) =>
  docker.ok(['inspect', '--format', template, name]);

const addressIn = (container: string, network: string) =>
  format(container, `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`);

// After the containers of the test, which are removed by the suite: hooks run last come, first served.
afterEach(async () => {
  for (const name of made.splice(0)) await docker(['network', 'rm', name]);
});

test('the default network is a bridge: an address, a way out, and its own name in /etc/hosts', async () => {
  const { stdout, code } = await docker([
    ...['run', '--rm', '--hostname', 'me', 'busybox', 'sh', '-c'],
    "ip -4 addr show eth0 | grep -o 'inet [0-9./]*'; ip route | grep -o 'default via [0-9.]*'; grep me /etc/hosts",
  ]);
  const neighbour = await aServer();
  const gateway = await format(neighbour, '{{.NetworkSettings.Gateway}}');
  const prefix = await format(neighbour, '{{.NetworkSettings.IPPrefixLen}}');

  expect(code).toBe(0);
  const [, address = ''] = /inet ([0-9.]+)\/(\d+)/.exec(stdout) ?? [];
  expect(stdout).toBe(`inet ${address}/${prefix}\ndefault via ${gateway}\n${address}\tme\n`);
});

test('inspect tells the address that the container has, and forgets it after the exit', async () => {
  const name = await aServer();
  const address = await format(name, '{{.NetworkSettings.IPAddress}}');
  const inside = await docker.ok(['exec', name, 'sh', '-c', 'ip -4 addr show eth0']);
  const network = await docker.ok([
    ...['network', 'inspect', 'bridge', '--format'],
    `{{range .Containers}}{{if eq .Name "${name}"}}{{.IPv4Address}}{{end}}{{end}}`,
  ]);

  expect(inside).toContain(`inet ${address}/`);
  expect(network.split('/')[0]).toBe(address);
  expect(await format(name, '{{.NetworkSettings.MacAddress}}')).toMatch(/^[0-9a-f:]{17}$/);

  await docker.ok(['stop', '-t', '0', name]);

  expect(await format(name, '{{.NetworkSettings.IPAddress}}')).toBe('');
  expect(
    await format(name, '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}'),
  ).toBe('bridge');
});

test('neighbours on the default bridge reach one another by address, and have no names', async () => {
  const name = await aServer();
  const other = await aServer();
  const address = await format(name, '{{.NetworkSettings.IPAddress}}');

  expect((await ask(other, `http://${address}/`)).stdout).toBe(name);
  const byName = await docker(['exec', other, 'nslookup', name]);
  expect(byName.code).not.toBe(0);
});

test('on a network of the user neighbours are found by name, alias and id', async () => {
  const network = await aNetwork();
  const name = await aServer('--network', network, '--network-alias', 'other-name');
  const id = (await format(name, '{{.Id}}')).slice(0, 12);
  const asker = await aServer('--network', network);

  for (const host of [name, 'other-name', id, `${name}.${network}`])
    expect(await ask(asker, `http://${host}/`)).toMatchObject({ code: 0, stdout: name });
  expect(await docker.ok(['exec', asker, 'cat', '/etc/resolv.conf'])).toContain(
    'nameserver 127.0.0.11',
  );
  const address = await addressIn(name, network);
  expect(await docker.ok(['exec', asker, 'nslookup', address])).toContain(`${name}.${network}`);
});

test('two networks cannot reach one another, and names end with the network', async () => {
  const left = await aNetwork();
  const right = await aNetwork();
  const server = await aServer('--network', left);
  const stranger = await aServer('--network', right);
  const neighbour = await aServer('--network', left);
  const address = await addressIn(server, left);
  expect((await ask(neighbour, `http://${address}/`)).stdout).toBe(server);

  const byAddress = await docker([
    'exec',
    stranger,
    'wget',
    '-T',
    '2',
    '-qO-',
    `http://${address}/`,
  ]);
  const byName = await docker(['exec', stranger, 'nslookup', server]);

  expect(byAddress.code).not.toBe(0);
  expect(byName.code).not.toBe(0);
});

test('connect and disconnect while the container runs', async () => {
  const network = await aNetwork();
  const server = await aServer('--network', network);
  const guest = await aServer();

  await docker.ok(['network', 'connect', '--alias', 'guest', network, guest]);

  expect((await ask(guest, `http://${server}/`)).stdout).toBe(server);
  expect((await ask(server, 'http://guest/')).stdout).toBe(guest);
  expect(await docker.ok(['exec', guest, 'ip', 'addr', 'show', 'eth1'])).toContain('inet ');
  const again = await docker(['network', 'connect', network, guest]);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain(
    `endpoint with name ${guest} already exists in network ${network}`,
  );

  await docker.ok(['network', 'disconnect', network, guest]);

  expect((await docker(['exec', guest, 'ip', 'addr', 'show', 'eth1'])).code).not.toBe(0);
  expect(await docker.ok(['exec', guest, 'ip', 'route'])).toContain('default via');
  expect((await docker(['network', 'disconnect', network, guest])).stderr).toContain(
    'is not connected to',
  );
});

test('a container that is connected before it runs has both networks when it does', async () => {
  const network = await aNetwork();
  const name = aName();
  await docker.ok(['create', '--name', name, 'busybox', 'sleep', '1000']);
  await docker.ok(['network', 'connect', network, name]);
  await docker.ok(['start', name]);

  expect(await docker.ok(['exec', name, 'ip', 'addr'])).toMatch(/eth0[\s\S]*eth1/);
  expect(await format(name, '{{len .NetworkSettings.Networks}}')).toBe('2');
});

test('--subnet, --ip, and an address that is taken', async () => {
  const network = await aNetwork('--subnet', '10.87.65.0/24', '--gateway', '10.87.65.9');
  const name = await aServer('--network', network, '--ip', '10.87.65.77');

  expect(await addressIn(name, network)).toBe('10.87.65.77');
  expect(await docker.ok(['exec', name, 'ip', 'route'])).toContain('default via 10.87.65.9');
  const taken = await docker(
    `run --rm --network ${network} --ip 10.87.65.77 busybox true`.split(' '),
  );
  expect(taken.code).toBe(125);
  expect(taken.stderr).toContain('Address already in use');
  const elsewhere = await docker(
    `run --rm --network ${network} --ip 10.87.66.1 busybox true`.split(' '),
  );
  expect(elsewhere.code).toBe(125);
  const overlap = await docker(['network', 'create', '--subnet', '10.87.65.128/25', 'overlapping']);
  expect(overlap.code).toBe(1);
  expect(overlap.stderr).toContain('Pool overlaps with other one on this address space');
});

test('--internal: neighbours, and no way out', async () => {
  const network = await aNetwork('--internal');
  const server = await aServer('--network', network);
  const other = await aServer('--network', network);

  expect((await ask(other, `http://${server}/`)).stdout).toBe(server);
  // Docker 20.10 leaves the route and drops what takes it; newer ones make none.
  if (!isReal) expect(await docker.ok(['exec', other, 'ip', 'route'])).not.toContain('default');
});

test('a network in use cannot be removed, one that nobody uses is pruned', async () => {
  const used = await aNetwork();
  const unused = await aNetwork('--label', 'test=prune');
  await aServer('--network', used);

  const refused = await docker(['network', 'rm', used]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('has active endpoints');
  const pruned = await docker.ok(['network', 'prune', '-f', '--filter', 'label=test=prune']);
  expect(pruned).toContain(unused);
  expect(await docker.ok(['network', 'ls', '--format', '{{.Name}}'])).toContain(used);
  expect(await docker.ok(['network', 'ls', '--format', '{{.Name}}'])).not.toContain(unused);
});

test.each([
  ['network rm bridge', 'bridge is a pre-defined network and cannot be removed'],
  ['network create host', 'operation is not permitted on predefined host network'],
  ['network create -d host other-host', 'only one instance of "host" network is allowed'],
  ['network create -d no-such-driver x1', 'plugin'],
  ['network create --subnet 1.2.3.4.5/8 x1', 'invalid'],
  ['network inspect no-such-network', /network no-such-network not found|No such network/],
  ['run --rm --network no-such-network busybox true', 'network no-such-network not found'],
])('docker %s', async (command, sentence) => {
  const { code, stderr } = await docker(command.split(' '));

  expect(code).not.toBe(0);
  expect(stderr).toMatch(sentence);
});

// Asked without the client: older ones leave these words out for the default network.
test.each([
  [
    'an address',
    { IPAMConfig: { IPv4Address: '1.2.3.4' } },
    'user specified IP address is supported',
  ],
  ['an alias', { Aliases: ['x'] }, /network-scoped alias(es)? (is|are)/],
])('%s of your own is for networks of your own', async (_, endpoint, sentence) => {
  const name = aName();
  const created = await askApi('POST', `/containers/create?name=${name}`, {
    Image: 'busybox',
    HostConfig: { NetworkMode: 'bridge' },
    NetworkingConfig: { EndpointsConfig: { bridge: endpoint } },
  });
  const started = await askApi('POST', `/containers/${name}/start`);

  expect(started.status).toBeGreaterThanOrEqual(400);
  expect(JSON.stringify([created.json, started.json])).toMatch(sentence);
});

test('a network with IPv6: an address of each kind, by name and by number', async () => {
  const network = await aNetwork('--ipv6', '--subnet', 'fd00:5:6::/64');
  const server = await aServer('--network', network, '--ip6', 'fd00:5:6::77');

  const get = 'wget -qO- http://[fd00:5:6::77]/';
  const script = `cat /proc/net/if_inet6; for i in $(seq 50); do ${get} && break; sleep 0.1; done; echo; nslookup ${server} | grep -c fd00:5:6::77`;
  const { stdout } = await docker([
    ...['run', '--rm', '--network', network, 'busybox', 'sh', '-c', script],
  ]);

  expect(stdout).toContain('fd00000500060000');
  expect(stdout).toContain(`${server}\n1\n`);
  const members = '{{.EnableIPv6}} {{range .Containers}}{{.IPv6Address}}{{end}}';
  expect(await docker.ok(['network', 'inspect', '--format', members, network])).toBe(
    'true fd00:5:6::77/64',
  );
  const own = '{{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}} {{.IPv6Gateway}}{{end}}';
  expect(await format(server, own)).toBe('fd00:5:6::77 fd00:5:6::1');
});

test('a network without an address left says so, and has one again when a container goes', async () => {
  const network = `tiny-${process.pid}`;
  const [first, second] = [aName(), aName()];
  const id = await docker.ok(['network', 'create', '--subnet', '10.213.7.0/30', network]);
  const run = (name: string) =>
    docker(['run', '-d', '--name', name, '--network', network, 'busybox', 'sleep', '1000']);
  try {
    expect((await run(first)).code).toBe(0);
    expect(await run(second)).toMatchObject({
      code: 125,
      stderr: expect.stringContaining(
        `no available IPv4 addresses on this network's address pools: ${network} (${id})`,
      ) as string,
    });
    await docker.ok(['rm', '-f', first]);
    expect((await docker(['start', second])).code).toBe(0);
  } finally {
    await docker(['rm', '-f', first, second]);
    await docker(['network', 'rm', network]);
  }
});
