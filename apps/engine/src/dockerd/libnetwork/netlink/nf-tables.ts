/**
 * Packet rules by nf_tables: what `nft -f` sends. A rule is a list of expressions that run on each packet, over a few
 * registers; each expression here stands beside the words that `nft list ruleset` prints for it.
 * A table is replaced as a whole, in one transaction: no packet ever meets half a ruleset.
 * See nft(8), linux/netfilter/nf_tables.h. Upstream: github.com/google/nftables.
 */
import { attribute, be16, be32, message, nested, NLM_F, text, u32, u8 } from './message.ts';
import type { NetlinkSocket } from './socket.ts';
import { bytesOfAddress, textOfAddress, textOfSubnet, type Subnet } from '../subnet.ts';

const SUBSYSTEM = 10;
const BATCH = { BEGIN: 0x10, END: 0x11 } as const;
const MESSAGE = { NEWTABLE: 0, GETTABLE: 1, DELTABLE: 2, NEWCHAIN: 3, NEWRULE: 6 } as const;
const NFPROTO_IPV4 = 2;
const IFNAMSIZ = 16;

const TABLE_NAME = 1;
const CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5, TYPE: 7 } as const;
const HOOK = { NUMBER: 1, PRIORITY: 2 } as const;
const RULE = { TABLE: 1, CHAIN: 2, EXPRESSIONS: 4 } as const;
const EXPRESSION = { NAME: 1, DATA: 2 } as const;
const LIST_ELEMENT = 1;
const DATA = { VALUE: 1, VERDICT: 2 } as const;
const VERDICT_CODE = 1;
const REGISTER = { VERDICT: 0, ONE: 1, TWO: 2 } as const;
const META = { IIFNAME: 6, OIFNAME: 7, L4PROTO: 16 } as const;
const CT = { STATE: 0, STATUS: 2 } as const;
const EQUAL = 0;
const NOT_EQUAL = 1;
const NETWORK_HEADER = 1;
const TRANSPORT_HEADER = 2;
/** Where in an IPv4 header the source and the destination stand, and in a TCP or UDP header the destination port. */
const OFFSET = { saddr: 12, daddr: 16, dport: 2 } as const;
export const L4 = { tcp: 6, udp: 17 } as const;
export type Transport = keyof typeof L4;

/** One or more expressions, and how nft(8) writes them. */
export interface Term {
  readonly words: string;
  readonly expressions: readonly Buffer[];
}
export type Rule = readonly Term[];

export const wordsOf = (rule: Rule): string => rule.map(({ words }) => words).join(' ');

export interface Chain {
  readonly name: string;
  readonly type: 'nat' | 'filter';
  readonly hook: 'prerouting' | 'forward' | 'output' | 'postrouting';
  readonly priority: number;
  readonly rules: readonly Rule[];
}

const HOOK_NUMBER = { prerouting: 0, forward: 2, output: 3, postrouting: 4 } as const;

const expression = (name: string, ...attributes: readonly Uint8Array[]): Buffer =>
  nested(
    LIST_ELEMENT,
    attribute(EXPRESSION.NAME, text(name)),
    nested(EXPRESSION.DATA, ...attributes),
  );

const value = (type: number, bytes: Uint8Array): Buffer =>
  nested(type, attribute(DATA.VALUE, bytes));

const meta = (key: number): Buffer =>
  expression('meta', attribute(1, be32(REGISTER.ONE)), attribute(2, be32(key)));
const conntrack = (key: number): Buffer =>
  expression('ct', attribute(1, be32(REGISTER.ONE)), attribute(2, be32(key)));
const payload = (base: number, offset: number, length: number): Buffer =>
  expression(
    'payload',
    attribute(1, be32(REGISTER.ONE)),
    attribute(2, be32(base)),
    attribute(3, be32(offset)),
    attribute(4, be32(length)),
  );
const compare = (operation: number, bytes: Uint8Array): Buffer =>
  expression(
    'cmp',
    attribute(1, be32(REGISTER.ONE)),
    attribute(2, be32(operation)),
    value(3, bytes),
  );
const mask = (bits: Uint8Array): Buffer =>
  expression(
    'bitwise',
    attribute(1, be32(REGISTER.ONE)),
    attribute(2, be32(REGISTER.ONE)),
    attribute(3, be32(bits.byteLength)),
    value(4, bits),
    value(5, Buffer.alloc(bits.byteLength)),
  );
const load = (register: number, bytes: Uint8Array): Buffer =>
  expression('immediate', attribute(1, be32(register)), value(2, bytes));

const interfaceName = (name: string): Buffer => {
  const bytes = Buffer.alloc(IFNAMSIZ);
  bytes.write(name);
  return bytes;
};

const onInterface =
  (word: 'iifname' | 'oifname', key: number) =>
  (name: string, isNot = false): Term => ({
    words: `${word} ${isNot ? '!= ' : ''}"${name}"`,
    expressions: [meta(key), compare(isNot ? NOT_EQUAL : EQUAL, interfaceName(name))],
  });
export const iifname = onInterface('iifname', META.IIFNAME);
export const oifname = onInterface('oifname', META.OIFNAME);

const inSubnet =
  (word: 'saddr' | 'daddr') =>
  (subnet: Subnet, isNot = false): Term => ({
    words: `ip ${word} ${isNot ? '!= ' : ''}${subnet.prefix === 32 ? textOfAddress(subnet.first) : textOfSubnet(subnet)}`,
    expressions: [
      payload(NETWORK_HEADER, OFFSET[word], 4),
      mask(bytesOfAddress(2 ** 32 - 2 ** (32 - subnet.prefix))),
      compare(isNot ? NOT_EQUAL : EQUAL, bytesOfAddress(subnet.first)),
    ],
  });
export const saddr = inSubnet('saddr');
export const daddr = inSubnet('daddr');

export const dport = (protocol: Transport, port: number): Term => ({
  words: `${protocol} dport ${port}`,
  expressions: [
    meta(META.L4PROTO),
    compare(EQUAL, u8(L4[protocol])),
    payload(TRANSPORT_HEADER, OFFSET.dport, 2),
    compare(EQUAL, be16(port)),
  ],
});

/** The destination is an address of the host itself. */
export const toLocalAddress: Term = {
  words: 'fib daddr type local',
  expressions: [
    expression(
      'fib',
      attribute(1, be32(REGISTER.ONE)),
      attribute(2, be32(3)), // NFT_FIB_RESULT_ADDRTYPE
      attribute(3, be32(2)), // NFTA_FIB_F_DADDR
    ),
    compare(EQUAL, u32(2)), // RTN_LOCAL
  ],
};

const hasBits = (words: string, key: number, bits: number): Term => ({
  words,
  expressions: [conntrack(key), mask(u32(bits)), compare(NOT_EQUAL, u32(0))],
});
/** Packets of a connection that is already under way. */
export const established = hasBits('ct state established,related', CT.STATE, 2 | 4);
/** Packets whose destination was changed: they came to a published port. */
export const wasDnat = hasBits('ct status dnat', CT.STATUS, 32);

const verdict = (words: string, code: number): Term => ({
  words,
  expressions: [
    expression(
      'immediate',
      attribute(1, be32(REGISTER.VERDICT)),
      nested(2, nested(DATA.VERDICT, attribute(VERDICT_CODE, be32(code)))),
    ),
  ],
});
export const drop = verdict('drop', 0);
export const accept = verdict('accept', 1);

/** Leaves with the address of the interface that it leaves by. */
export const masquerade: Term = { words: 'masquerade', expressions: [expression('masq')] };

/** Another destination, before the kernel looks for the way. */
export const dnat = (address: number, port: number): Term => ({
  words: `dnat to ${textOfAddress(address)}:${port}`,
  expressions: [
    load(REGISTER.ONE, bytesOfAddress(address)),
    load(REGISTER.TWO, be16(port)),
    expression(
      'nat',
      attribute(1, be32(1)), // NFT_NAT_DNAT
      attribute(2, be32(NFPROTO_IPV4)),
      attribute(3, be32(REGISTER.ONE)),
      attribute(5, be32(REGISTER.TWO)),
    ),
  ],
});

/** struct nfgenmsg. */
const header = (family: number, resource = 0): Buffer =>
  Buffer.concat([u8(family), u8(0), be16(resource)]);

const request = (kind: number, flags: number, ...attributes: readonly Uint8Array[]): Buffer =>
  message((SUBSYSTEM << 8) | kind, flags, header(NFPROTO_IPV4), ...attributes);

const transaction = (...requests: readonly Buffer[]): Buffer[] => [
  message(BATCH.BEGIN, 0, header(0, SUBSYSTEM)),
  ...requests,
  message(BATCH.END, 0, header(0, SUBSYSTEM)),
];

const newTable = (name: string): Buffer =>
  request(MESSAGE.NEWTABLE, NLM_F.CREATE | NLM_F.ACK, attribute(TABLE_NAME, text(name)));
const deleteTable = (name: string): Buffer =>
  request(MESSAGE.DELTABLE, NLM_F.ACK, attribute(TABLE_NAME, text(name)));

const newChain = (table: string, chain: Chain): Buffer =>
  request(
    MESSAGE.NEWCHAIN,
    NLM_F.CREATE | NLM_F.ACK,
    attribute(CHAIN.TABLE, text(table)),
    attribute(CHAIN.NAME, text(chain.name)),
    nested(
      CHAIN.HOOK,
      attribute(HOOK.NUMBER, be32(HOOK_NUMBER[chain.hook])),
      attribute(HOOK.PRIORITY, be32(chain.priority)),
    ),
    attribute(CHAIN.POLICY, be32(1)),
    attribute(CHAIN.TYPE, text(chain.type)),
  );

const newRule = (table: string, chain: string, rule: Rule): Buffer =>
  request(
    MESSAGE.NEWRULE,
    NLM_F.CREATE | NLM_F.APPEND | NLM_F.ACK,
    attribute(RULE.TABLE, text(table)),
    attribute(RULE.CHAIN, text(chain)),
    nested(RULE.EXPRESSIONS, ...rule.flatMap(({ expressions }) => expressions)),
  );

/** `add table; delete table; add table …`: whatever was in it, now it is this. */
export const replaceTable = (
  socket: NetlinkSocket,
  table: string,
  chains: readonly Chain[],
): void => {
  socket.ask(
    `replace nf_tables table ${table}`,
    ...transaction(
      newTable(table),
      deleteTable(table),
      newTable(table),
      ...chains.flatMap((chain) => [
        newChain(table, chain),
        ...chain.rules.map((rule) => newRule(table, chain.name, rule)),
      ]),
    ),
  );
};

export const removeTable = (socket: NetlinkSocket, table: string): void => {
  socket.ask(
    `remove nf_tables table ${table}`,
    ...transaction(newTable(table), deleteTable(table)),
  );
};
