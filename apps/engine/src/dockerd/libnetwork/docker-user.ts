/**
 * A real Docker on the same machine lets nothing be passed on that it does not know (`iptables -P FORWARD DROP`); for
 * others it keeps a chain, DOCKER-USER, in which they say what may pass. There our bridges are named, by iptables(8)
 * itself: it reads its tables back, and understands only what it has written.
 * Our own table goes on to decide what may reach a container of ours, and keeps ours out of Docker's networks.
 * Reference: https://docs.docker.com/engine/network/packet-filtering-firewalls/
 */
import { spawnSync } from 'node:child_process';
import { EngineError } from '../../protocol/errdefs.ts';
import { hasChain } from './netlink/nf-tables.ts';
import type { NetlinkSocket } from './netlink/socket.ts';

const CHAIN = 'DOCKER-USER';
/** Another program may hold the lock of the tables. */
const PATIENCE_SECONDS = '5';

const iptables = (...args: readonly string[]): string => {
  const { status, stdout, stderr, error } = spawnSync(
    'iptables',
    ['--wait', PATIENCE_SECONDS, ...args],
    {
      encoding: 'utf8',
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
      timeout: 15_000,
    },
  );
  if (status === 0) return stdout;
  throw new EngineError('internal', `iptables: ${error?.message ?? stderr.trim()}`);
};

/** Whether a Docker is here, or has been; asked of the kernel, as often as one likes. */
export const meetsDocker = (netfilter: NetlinkSocket): boolean =>
  hasChain(netfilter, { family: 'ip', table: 'filter', chain: CHAIN });

/** As `iptables -S` prints them, the owner in quotes or not. */
const ruleFor = (owner: string, direction: 'i' | 'o', bridge: string): string[] => [
  ...[`-${direction}`, bridge, '-m', 'comment', '--comment', owner, '-j', 'ACCEPT'],
];

/** Lets what comes from and goes to these bridges pass, and nothing that this engine has named before. */
export const letThrough = (owner: string, bridges: readonly string[]): void => {
  const wanted = bridges.flatMap((bridge) =>
    (['i', 'o'] as const).map((direction) => ruleFor(owner, direction, bridge)),
  );
  const there = iptables('-S', CHAIN)
    .split('\n')
    .map((line) => line.replaceAll('"', '').split(' '))
    .filter((words) => words[0] === '-A' && words.includes(owner))
    .map((words) => words.slice(2));
  const isSame = (left: readonly string[], right: readonly string[]): boolean =>
    left.join(' ') === right.join(' ');
  for (const rule of there) {
    if (!wanted.some((each) => isSame(each, rule))) iptables('-D', CHAIN, ...rule);
  }
  for (const rule of wanted) {
    // Docker's own last rule of the chain returns from it: ours come before.
    if (!there.some((each) => isSame(each, rule))) iptables('-I', CHAIN, ...rule);
  }
};
