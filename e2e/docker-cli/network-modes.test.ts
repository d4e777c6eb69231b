/** `--network host` and `--network container:ID`: whose network namespace a container is in, and what it shares. */
import { expect, test } from 'vitest';
import { namespaceOf } from '../support/kernel.ts';
import { aName, docker } from './support/suite.ts';

const NET = ['readlink', '/proc/self/ns/net'];
const run = (...args: readonly string[]) => docker(['run', '--rm', ...args]);

test('--network host is one namespace for all, and no container of its own network is in it', async () => {
  const first = await run('--network', 'host', 'busybox', ...NET);
  const second = await run('--network', 'host', 'busybox', ...NET);
  const apart = await run('--network', 'none', 'busybox', ...NET);

  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(/^net:\[\d+\]\n$/);
  expect(second.stdout).toBe(first.stdout);
  expect(apart.stdout).not.toBe(first.stdout);
});

test('--network container: shares namespace, host name and hosts file', async () => {
  const lender = aName();
  const id = await docker.ok(
    'run -d --network none --add-host friend:10.1.2.3 --name'
      .split(' ')
      .concat(lender, 'busybox', 'sleep', '1000'),
  );
  const { State } = await docker.inspect(id);

  const shared = await run(
    ...['--network', `container:${lender}`, 'busybox', 'sh', '-c'],
    `${NET.join(' ')}; hostname; grep -o friend /etc/hosts`,
  );

  const inside = namespaceOf(State.Pid, 'net');
  expect(shared.stdout).toBe(`${inside}\n${id.slice(0, 12)}\nfriend\n`);
});

test('the network of a container that does not run cannot be joined', async () => {
  const lender = aName();
  const id = await docker.ok(['create', '--name', lender, '--network', 'none', 'busybox']);

  const { code, stderr } = await run('--network', `container:${lender}`, 'busybox', 'true');

  expect(code).toBe(125);
  expect(stderr).toContain(`cannot join network of a non running container: ${id}`);
});

test('a host name of its own and the network of another contradict each other', async () => {
  const { code, stderr } = await run(
    ...['--network', 'container:nobody', '-h', 'me', 'busybox', 'true'],
  );

  expect(code).toBe(125);
  expect(stderr).toContain('conflicting options: hostname and the network mode');
});
