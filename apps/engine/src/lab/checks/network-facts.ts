/**
 * Facts about a process's network, from its own view in /proc/<pid>/net: whoever reads it there sees what the process
 * would see. proc_pid_net(5); fib_trie and route are the kernel's net/ipv4/fib_trie.c
 */
import { readFileSync } from 'node:fs';
import type { FactName } from '../../protocol/lesson/facts.ts';
import type { Value } from '../../protocol/lesson/predicate.ts';

const linesOf = (pid: number, name: string): readonly string[] | null => {
  try {
    return readFileSync(`/proc/${pid}/net/${name}`, 'utf8').split('\n');
  } catch {
    return null;
  }
};

export const networkFact = (name: FactName, pid: number): Value => {
  switch (name) {
    case 'net.interfaces':
      return interfaces(pid);
    case 'net.addresses':
      return addresses(pid);
    case 'net.gateway':
      return gateway(pid);
    case 'net.listens':
      return listening(pid);
    default:
      return null;
  }
};

const interfaces = (pid: number): Value =>
  linesOf(pid, 'dev')?.flatMap((line) => /^\s*([^\s:|]+):/.exec(line)?.[1] ?? []) ?? null;

/** An address of one's own is a leaf with the line `/32 host LOCAL`. */
export const addresses = (pid: number): string[] => {
  const found = new Set<string>();
  let leaf = '';
  for (const line of linesOf(pid, 'fib_trie') ?? []) {
    leaf = /\|-- (\S+)/.exec(line)?.[1] ?? leaf;
    if (line.includes('/32 host LOCAL')) found.add(leaf);
  }
  return [...found];
};

/** `eth0 00000000 010011AC 0003 …`: the default route, its gateway with the lowest byte first. */
const gateway = (pid: number): Value => {
  for (const line of linesOf(pid, 'route') ?? []) {
    const [, destination, hex = ''] = line.split('\t');
    if (destination === '00000000')
      return hex.match(/../g)?.toReversed().map(fromHex).join('.') ?? null;
  }
  return null;
};

const fromHex = (digits: string): number => Number.parseInt(digits, 16);
const LISTEN = '0A';

/** `0: 00000000:0050 00000000:0000 0A …`: local address and port in hexadecimal, the far end, the state. */
const listening = (pid: number): Value => {
  const both = [...(linesOf(pid, 'tcp') ?? []), ...(linesOf(pid, 'tcp6') ?? [])];
  const ports = both.flatMap((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/);
    return state === LISTEN ? [String(fromHex(local.split(':')[1] ?? ''))] : [];
  });
  return [...new Set(ports)];
};
