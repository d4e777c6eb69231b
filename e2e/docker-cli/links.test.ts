/** `--link`: what a container is told of another one, on the default bridge and on a network of one's own. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask } from './support/ask.ts';
import { aName, docker } from './support/suite.ts';

const DB = `linked-${process.pid}`;
const NETWORK = `links-${process.pid}`;
const asShell = (script: string): string[] => ['busybox', 'sh', '-c', script];

beforeAll(async () => {
  await docker.ok([
    ...['run', '-d', '--name', DB, '--hostname', 'inside', '-e', 'A=1', '-e', 'HOME=/x'],
    ...['80', '81', '82', '9000', '53/udp'].flatMap((port) => ['--expose', port]),
    ...['busybox', 'sleep', '1000'],
  ]);
  await docker.ok(['network', 'create', NETWORK]);
});
afterAll(async () => {
  await docker(['rm', '-f', DB]);
  await docker(['network', 'rm', NETWORK]);
});

const addressOf = (name: string) =>
  docker.ok(['inspect', '--format', '{{.NetworkSettings.IPAddress}}', name]);

test('variables and a line of /etc/hosts tell where the linked one is', async () => {
  const name = aName();
  const { stdout } = await docker([
    ...['run', '--rm', '--name', name, '--link', `${DB}:the-db`],
    ...asShell('env | grep ^THE_DB | sort; tail -n 2 /etc/hosts'),
  ]);
  const address = await addressOf(DB);
  const port = (number: number, protocol = 'tcp') => {
    const prefix = `THE_DB_PORT_${number}_${protocol.toUpperCase()}`;
    return [
      `${prefix}=${protocol}://${address}:${number}`,
      `${prefix}_ADDR=${address}`,
      `${prefix}_PORT=${number}`,
      `${prefix}_PROTO=${protocol}`,
    ];
  };
  const variables = [
    `THE_DB_PORT=udp://${address}:53`,
    ...[80, 81, 82, 9000].flatMap((number) => port(number)),
    ...port(53, 'udp'),
    `THE_DB_PORT_80_TCP_START=tcp://${address}:80`,
    'THE_DB_PORT_80_TCP_PORT_START=80',
    `THE_DB_PORT_80_TCP_END=tcp://${address}:82`,
    'THE_DB_PORT_80_TCP_PORT_END=82',
    `THE_DB_NAME=/${name}/the-db`,
    'THE_DB_ENV_A=1',
  ];
  const lines = stdout.trim().split('\n');

  expect(lines.filter((line) => line.startsWith('THE_DB')).sort()).toEqual(variables.sort());
  expect(lines.at(-2)).toBe(`${address}\tthe-db inside ${DB}`);
});

test('the link is a name: listed, inspected, renamed with its owner, and taken away by itself', async () => {
  const [name, later] = [aName(), aName()];
  await docker.ok(['run', '-d', '--name', name, '--link', `${DB}:x`, 'busybox', 'sleep', '1000']);
  const links = (of: string) =>
    docker.ok(['inspect', '--format', '{{json .HostConfig.Links}}', of]);

  expect(
    await docker.ok([...['ps', '--no-trunc', '--filter'], `name=${DB}`, '--format', '{{.Names}}']),
  ).toContain(`${name}/x`);
  expect(await docker.ok(['inspect', '--format', '{{.Name}}', `${name}/x`])).toBe(`/${DB}`);
  await docker.ok(['rename', name, later]);
  expect(await links(later)).toBe(`["/${DB}:/${later}/x"]`);
  expect(await docker(['rm', '--link', later])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(
      'Conflict, cannot remove the default link name of the container',
    ) as string,
  });
  await docker.ok(['rm', '--link', `${later}/x`]);
  expect(await links(later)).toBe('null');
  expect((await docker(['inspect', DB])).code).toBe(0);
});

test('when the linked one comes back with another address, its neighbours are told', async () => {
  const [other, name, between] = [aName(), aName(), aName()];
  await docker.ok(['run', '-d', '--name', other, 'busybox', 'sleep', '1000']);
  await docker.ok([
    ...['run', '-d', '--name', name, '--link', `${other}:x`, 'busybox', 'sleep', '1000'],
  ]);
  const before = await addressOf(other);
  await docker.ok(['stop', '-t', '0', other]);
  await docker.ok(['run', '-d', '--name', between, 'busybox', 'sleep', '1000']);
  await docker.ok(['start', other]);
  const address = await addressOf(other);

  expect(await docker.ok(['exec', name, 'grep', other, '/etc/hosts'])).toMatch(
    new RegExp(`^${address.replaceAll('.', '\\.')}\tx `),
  );
  // Only then does this show anything: somebody else took the address meanwhile.
  expect([before, await addressOf(between)]).not.toContain(address);
});

test('one that does not run, or has gone, cannot be linked to any more', async () => {
  const [other, name] = [aName(), aName()];
  await docker.ok(['create', '--name', other, 'busybox', 'true']);
  await docker.ok(['create', '--name', name, '--link', `${other}:x`, 'busybox', 'true']);
  const refusal = `Cannot link to a non running container: /${other} AS /${name}/x`;

  expect((await docker(['start', name])).stderr).toContain(refusal);
  await docker.ok(['rm', other]);
  expect((await docker(['start', name])).stderr).toContain(refusal);
});

test.each([
  [['--link', 'nosuch:x'], 'could not get container for nosuch: No such container: nosuch'],
  [['--link', `${DB}:b:c`], `bad format for links: ${DB}:b:c`],
])('%s is refused', async (flags, words) => {
  const { code, stderr } = await docker(['run', '--rm', ...flags, 'busybox', 'true']);

  expect(code).toBe(125);
  expect(stderr).toContain(words);
});

// Older clients refuse these before the daemon hears of them.
test.each([
  ['host', "host type networking can't be used with links"],
  [`container:${DB}`, "container type network can't be used with"],
])('the network %s has no links', async (NetworkMode, words) => {
  const { status, bytes } = await ask('POST', '/containers/create', {
    Image: 'busybox',
    HostConfig: { NetworkMode, Links: [DB] },
  });

  expect(status).toBe(400);
  expect(bytes.toString()).toContain(words);
});

test('on a network of one’s own a link is a name that nobody else there knows', async () => {
  const [other, name, stranger] = [aName(), aName(), aName()];
  const run = (who: string, ...flags: readonly string[]) =>
    docker.ok([
      ...['run', '-d', '--network', NETWORK, '--name', who, ...flags, 'busybox', 'sleep', '1000'],
    ]);
  await run(other);
  await run(name, '--link', `${other}:mine`);
  await run(stranger);
  const knows = async (who: string) => (await docker(['exec', who, 'nslookup', 'mine'])).code === 0;

  expect([await knows(name), await knows(stranger)]).toEqual([true, false]);
  const format = `{{json (index .NetworkSettings.Networks "${NETWORK}").Links}}`;
  expect(await docker.ok(['inspect', '--format', format, name])).toBe(`["${other}:mine"]`);
});
