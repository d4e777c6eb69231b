/** The kernel understands what we send: a bridge, a cable into another namespace, packet rules, and nothing left. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { native } from '../../native/load.ts';
import { chainsFor } from './firewall.ts';
import { ensureBridge, removeBridge, removeOrphans } from './bridge.ts';
import { newNetwork } from './network-store.ts';
import { findLink, listLinks } from './netlink/links.ts';
import { NetlinkError } from './netlink/message.ts';
import { hasChain, removeTable, replaceTable } from './netlink/nf-tables.ts';
import {
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NetlinkSocket,
  withNamespace,
} from './netlink/socket.ts';
import { plugIn, unplug } from './sandbox.ts';
import { Teller } from './teller.ts';
import { Tracer } from '../../tracing/tracer.ts';

const OWNER = `test-${process.pid}`;
const network = newNetwork({
  name: 'test',
  driver: 'bridge',
  bridge: `ert${process.pid % 10_000_000}`,
  subnet: '10.211.212.0/24',
  gateway: '10.211.212.1',
});
const endpoint = {
  id: 'e'.repeat(64),
  networkId: network.id,
  networkName: network.name,
  bridge: network.bridge,
  address: '10.211.212.2',
  prefix: 24,
  gateway: network.gateway,
  mac: '02:42:0a:d3:d4:02',
  mtu: 1500,
  aliases: [],
  interfaceName: 'eth0',
  hostInterface: `ertv${process.pid % 10_000_000}`,
};
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

let inside: ChildProcess;
beforeEach(async () => {
  inside = spawn('unshare', [
    '--net',
    'sh',
    '-c',
    'ip link set lo up; echo ready; exec sleep 1000',
  ]);
  await once(inside.stdout as NodeJS.ReadableStream, 'data');
});
afterEach(async () => {
  const exited = once(inside, 'exit');
  inside.kill('SIGKILL');
  await exited;
  removeOrphans(host.route, OWNER, () => false);
});

const within = (...command: readonly string[]) =>
  execFileSync('nsenter', ['--net', '--target', String(inside.pid), ...command], {
    encoding: 'utf8',
  });

test('a cable with an end in another namespace, its address and the way out', () => {
  ensureBridge(host.route, network, OWNER);
  plugIn(host, { pid: inside.pid ?? 0, endpoint, isWayOut: true });

  expect(within('ip', 'addr', 'show', 'eth0')).toMatch(
    /UP[\s\S]*link\/ether 02:42:0a:d3:d4:02[\s\S]*inet 10\.211\.212\.2\/24/,
  );
  expect(within('ip', 'addr', 'show', 'eth0')).not.toContain('inet6');
  expect(within('ip', 'route')).toContain('default via 10.211.212.1 dev eth0');
  const master = findLink(host.route, network.bridge);
  expect(findLink(host.route, endpoint.hostInterface)).toMatchObject({
    kind: 'veth',
    master: master?.index,
  });

  unplug(host, endpoint);

  expect(findLink(host.route, endpoint.hostInterface)).toBeNull();
  expect(within('ip', 'link')).not.toContain('eth0');
});

test('a bridge is made once, found again, and left alone when it is not ours', () => {
  const index = ensureBridge(host.route, network, OWNER);

  expect(ensureBridge(host.route, network, OWNER)).toBe(index);
  expect(() => ensureBridge(host.route, network, 'somebody-else')).toThrow('is not of this engine');
  removeBridge(host.route, network.bridge, 'somebody-else');
  expect(findLink(host.route, network.bridge)?.index).toBe(index);
  removeOrphans(host.route, OWNER, (name) => name === network.bridge);
  expect(findLink(host.route, network.bridge)?.index).toBe(index);
  removeOrphans(host.route, OWNER, () => false);
  expect(listLinks(host.route).some(({ alias }) => alias === OWNER)).toBe(false);
});

test('packet rules are replaced as a whole, in a namespace that we never enter', () => {
  const forwarding = {
    bridge: network.bridge,
    protocol: 'tcp',
    hostIp: '0.0.0.0',
    hostPort: 8080,
    containerIp: endpoint.address,
    containerPort: 80,
  } as const;
  const socket = withNamespace(
    `/proc/${inside.pid}/ns/net`,
    (namespace) => new NetlinkSocket(native, NETLINK_NETFILTER, namespace),
  );
  const chains = chainsFor([network], [forwarding]);
  replaceTable(socket, OWNER, chains);
  replaceTable(socket, OWNER, chains);
  removeTable(socket, OWNER);
  removeTable(socket, OWNER);

  const broken = { ...chains[0], type: 'no such type' } as unknown as (typeof chains)[number];
  expect(() => replaceTable(socket, OWNER, [broken])).toThrow(NetlinkError);
  socket.close();
});

test('the rules of three hundred networks go into one transaction, and a fault among them is told', () => {
  const socket = withNamespace(
    `/proc/${inside.pid}/ns/net`,
    (namespace) => new NetlinkSocket(native, NETLINK_NETFILTER, namespace),
  );
  const networks = Array.from({ length: 300 }, (_, index) => ({
    ...network,
    bridge: `br${index}`,
    subnet: `10.${index >> 8}.${index & 255}.0/24`,
  }));
  const chains = chainsFor(networks, []);

  replaceTable(socket, OWNER, chains);

  expect(hasChain(socket, { family: 'ip', table: OWNER, chain: 'forward' })).toBe(true);
  const [first] = chains;
  const broken = {
    ...first,
    name: 'x',
    type: 'no such type',
  } as unknown as (typeof chains)[number];
  expect(() => replaceTable(socket, OWNER, [...chains, broken])).toThrow(NetlinkError);
  removeTable(socket, OWNER);
  socket.close();
});
