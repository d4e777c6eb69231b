/**
 * A real Docker and this engine on one machine: neither disturbs the other. Both write packet rules for the whole
 * network, so this runs in a network namespace of its own (`scripts/test-peers.mjs`).
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRealEngine } from '../docker-cli/support/real-engine.ts';
import { dockerFor, type Docker } from '../support/docker.ts';
import type { Engine } from '../support/engine.ts';
import { type OurEngine, startOurEngine } from '../support/our-engine.ts';

const WORLD = '198.51.100.1';
const HERE = '198.51.100.2';

let world: ChildProcess;
/** Null when the test has stopped it. */
let real: Engine | null = null;
let ours: OurEngine;

const theirDocker = (): Docker => {
  if (!real) throw new Error('the real engine does not run');
  return dockerFor(real);
};

const say = (command: string): string =>
  execFileSync('sh', ['-c', command], { encoding: 'utf8', timeout: 30_000 });
const inWorld = (command: string): string => say(`nsenter --net --target ${world.pid} ${command}`);

beforeAll(async () => {
  const others = Object.keys(networkInterfaces()).filter((name) => name !== 'lo');
  if (others.length > 0)
    throw new Error(`this wants a network namespace of its own, not one with ${others.join(', ')}`);
  say('ip link set lo up');
  // As on a machine that has just started: then Docker makes a router of it, and one that passes nothing on.
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '0\n');
  world = spawn('unshare', [
    ...['--net', 'sh', '-c'],
    'ip link set lo up; echo ready; exec busybox httpd -f -p 80 -h /etc',
  ]);
  await once(world.stdout as NodeJS.ReadableStream, 'data');
  say(`ip link add out type veth peer name out netns ${world.pid}`);
  say(`ip addr add ${HERE}/24 dev out && ip link set out up`);
  inWorld(`ip addr add ${WORLD}/24 dev out`);
  inWorld('ip link set out up');
  real = await startRealEngine(undefined, { sharesNetwork: true });
  ours = await startOurEngine();
}, 180_000);
afterAll(async () => {
  await ours?.stop();
  await real?.stop();
  world?.kill('SIGKILL');
}, 120_000);

/** The first process of a container would not end by a signal of its own kind: a shell stands before it. */
const get = (docker: Docker, url: string, seconds: number) =>
  docker([
    ...['run', '--rm', 'busybox', 'sh', '-c'],
    `timeout ${seconds} wget -qO- ${url}; exit $?`,
  ]);

const reachesWorld = (docker: Docker) => get(docker, `http://${WORLD}/hostname`, 10);

async function server(docker: Docker, name: string, port: number): Promise<string> {
  const page = `echo -n ${name} >/tmp/index.html; exec httpd -f -h /tmp`;
  await docker.ok(
    ['run', '-d', '--name', name, '-p', `${port}:80`].concat(...['busybox', 'sh', '-c', page]),
  );
  return docker.ok(['inspect', '--format', '{{.NetworkSettings.IPAddress}}', name]);
}

/** From outside; asks again until the server has come up. */
const fromWorld = (port: number): string =>
  inWorld(
    `sh -c 'for i in $(seq 50); do timeout 5 busybox wget -qO- http://${HERE}:${port}/ && exit; sleep 0.1; done; exit 1'`,
  );

/** Docker's rules, without counters and times. */
const dockersRules = (): string =>
  say('iptables-save')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.replace(/\[\d+:\d+\]/, ''))
    .join('\n');

test('both reach the world, and the world reaches the ports of both', async () => {
  expect(say('iptables -S FORWARD')).toContain('-P FORWARD DROP');
  const [theirs, own] = [theirDocker(), dockerFor(ours)];

  expect((await reachesWorld(theirs)).code).toBe(0);
  expect((await reachesWorld(own)).code).toBe(0);

  await server(theirs, 'theirs', 18601);
  await server(own, 'own', 18602);
  expect(fromWorld(18601)).toBe('theirs');
  expect(fromWorld(18602)).toBe('own');
});

test('containers of one engine do not reach those of the other, but for published ports', async () => {
  const [theirs, own] = [theirDocker(), dockerFor(ours)];
  const address = (docker: Docker, name: string) =>
    docker.ok(['inspect', '--format', '{{.NetworkSettings.IPAddress}}', name]);

  expect((await get(own, `http://${await address(theirs, 'theirs')}/`, 3)).code).not.toBe(0);
  expect((await get(theirs, `http://${await address(own, 'own')}/`, 3)).code).not.toBe(0);
  expect((await get(own, `http://${HERE}:18601/`, 10)).stdout).toBe('theirs');
});

test('when one goes, the other one does not notice', async () => {
  const [theirs, own] = [theirDocker(), dockerFor(ours)];
  await own.ok(['rm', '-f', 'own']);
  const withOurs = dockersRules();
  await ours.stop();

  const withoutOurs = dockersRules();
  expect(withOurs).toContain('engine-room');
  expect(withoutOurs).not.toContain('engine-room');
  expect(withoutOurs).toBe(
    withOurs
      .split('\n')
      .filter((line) => !line.includes('engine-room'))
      .join('\n'),
  );
  expect((await reachesWorld(theirs)).code).toBe(0);
  expect(fromWorld(18601)).toBe('theirs');

  ours = await startOurEngine();
  await real?.stop();
  real = null;
  expect((await reachesWorld(dockerFor(ours))).code).toBe(0);
});
