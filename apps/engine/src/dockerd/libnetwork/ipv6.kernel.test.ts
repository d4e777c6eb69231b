/** IPv6 on a bridge, in the kernel's eyes: addresses, the way out, rules of their own kind, and two that can speak. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { native } from '../../native/load.ts';
import { Tracer } from '../../tracing/tracer.ts';
import { ensureBridge, removeOrphans } from './bridge.ts';
import { chainsFor6 } from './firewall6.ts';
import { newNetwork } from './network-store.ts';
import { listRoutes6 } from './netlink/links6.ts';
import { removeTable, replaceTable } from './netlink/nf-tables.ts';
import {
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NetlinkSocket,
  withNamespace,
} from './netlink/socket.ts';
import { changeWayOut, plugIn } from './sandbox.ts';
import { textOfSubnet6 } from './subnet6.ts';
import { Teller } from './teller.ts';

const OWNER = `test6-${process.pid}`;
const short = process.pid % 1_000_000;
const network = newNetwork({
  name: 'six',
  driver: 'bridge',
  bridge: `ers${short}`,
  subnet: '10.211.213.0/24',
  gateway: '10.211.213.1',
  subnet6: 'fd00:e:e::/64',
  gateway6: 'fd00:e:e::1',
});
const endpointOf = (host: number) => ({
  id: String(host).repeat(64),
  networkId: network.id,
  networkName: network.name,
  bridge: network.bridge,
  address: `10.211.213.${host}`,
  prefix: 24,
  gateway: network.gateway,
  ipv6: { address: `fd00:e:e::${host}`, prefix: 64, gateway: network.gateway6 },
  mac: `02:42:0a:d3:d5:0${host}`,
  mtu: 1500,
  aliases: [],
  interfaceName: 'eth0',
  hostInterface: `er${host}v${short}`,
});
const host = {
  native,
  route: new NetlinkSocket(native, NETLINK_ROUTE),
  teller: new Teller(
    new Tracer('dockerd', {
      export: () => undefined,
      flush: async () => undefined,
      close: () => undefined,
    }),
  ),
};

const spaces: ChildProcess[] = [];
const within = (space: number, ...command: readonly string[]) =>
  execFileSync('nsenter', ['--net', '--target', String(spaces[space]?.pid), ...command], {
    encoding: 'utf8',
    timeout: 20_000,
  });

beforeAll(async () => {
  ensureBridge(host.route, network, OWNER);
  for (const number of [2, 3]) {
    const space = spawn('unshare', [
      ...['--net', 'sh', '-c'],
      'ip link set lo up; echo ready; exec sleep 1000',
    ]);
    spaces.push(space);
    await once(space.stdout, 'data');
    plugIn(host, { pid: space.pid ?? 0, endpoint: endpointOf(number), isWayOut: true });
  }
});
afterAll(async () => {
  for (const space of spaces) {
    const exited = once(space, 'exit');
    space.kill('SIGKILL');
    await exited;
  }
  removeOrphans(host.route, OWNER, () => false);
});

test('the interface has both addresses, and the way out leads over both', () => {
  expect(within(0, 'ip', 'addr', 'show', 'eth0')).toMatch(
    /inet 10\.211\.213\.2\/24[\s\S]*inet6 fd00:e:e::2\/64 scope global/,
  );
  expect(within(0, 'ip', '-6', 'route')).toContain('default via fd00:e:e::1 dev eth0');
  expect(listRoutes6(host.route).map(textOfSubnet6)).toContain('fd00:e:e::/64');
});

test('neighbours reach one another', () => {
  const folder = mkdtempSync(join(tmpdir(), 'neighbour-'));
  writeFileSync(join(folder, 'index.html'), 'a neighbour');
  const server = spawn('nsenter', [
    ...['--net', '--target', String(spaces[1]?.pid), 'busybox', 'httpd'],
    ...['-f', '-p', '[fd00:e:e::3]:7', '-h', folder],
  ]);
  try {
    // It listens a moment later; until then the client asks again.
    const ask =
      'for i in $(seq 100); do busybox wget -qO- http://[fd00:e:e::3]:7/index.html 2>&1 && exit; sleep 0.05; done; exit 1';
    expect(within(0, 'sh', '-c', ask)).toContain('a neighbour');
  } finally {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

test('another way out, and none', () => {
  const pid = spaces[0]?.pid ?? 0;
  changeWayOut(host, { pid, from: endpointOf(2), to: null });
  expect(within(0, 'ip', '-6', 'route')).not.toContain('default');
  changeWayOut(host, { pid, from: null, to: endpointOf(2) });
  expect(within(0, 'ip', '-6', 'route')).toContain('default via fd00:e:e::1');
});

test('the rules are a table of their own kind, as nft(8) reads them', () => {
  const socket = withNamespace(
    `/proc/${spaces[0]?.pid}/ns/net`,
    (namespace) => new NetlinkSocket(native, NETLINK_NETFILTER, namespace),
  );
  const forwarding = {
    bridge: network.bridge,
    protocol: 'tcp',
    hostIp: '::',
    hostPort: 8080,
    containerIp: 'fd00:e:e::2',
    containerPort: 80,
  } as const;
  const chains = chainsFor6([network], [forwarding]);
  replaceTable(socket, OWNER, chains, 'ip6');
  replaceTable(socket, OWNER, chains, 'ip6');
  removeTable(socket, OWNER, 'ip6');
  removeTable(socket, OWNER, 'ip6');
  socket.close();
});
