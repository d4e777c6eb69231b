/**
 * What a packet rule is made of: expressions that run on each packet, over a few registers. Each stands beside the words
 * that `nft list ruleset` prints for it. See nft(8), linux/netfilter/nf_tables.h. Upstream: github.com/google/nftables.
 */
import { attribute, be16, be32, nested, text, u32, u8 } from './message.ts';
import { bytesOfAddress, textOfAddress, textOfSubnet, type Subnet } from '../subnet.ts';
import { bytesOfAddress6, textOfAddress6, textOfSubnet6, type Subnet6 } from '../subnet6.ts';

export const FAMILY = { ip: 2, ip6: 10 } as const;
/** Packets of which kind a table sees. */
export type Family = keyof typeof FAMILY;
const IFNAMSIZ = 16;

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
/** Where in a header the source and the destination stand, and in a TCP or UDP header the destination port. */
const OFFSET = { saddr: 12, daddr: 16, dport: 2 } as const;
const OFFSET6 = { saddr: 8, daddr: 24 } as const;
const ADDRESS6_BYTES = 16;
const L4 = { tcp: 6, udp: 17 } as const;
export type Transport = keyof typeof L4;

/** One or more expressions, and how nft(8) writes them. */
export interface Term {
  readonly words: string;
  readonly expressions: readonly Buffer[];
}
export type Rule = readonly Term[];

export const wordsOf = (rule: Rule): string => rule.map(({ words }) => words).join(' ');

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
/** Each interface whose name begins so. */
export const oifnameLike = (beginning: string): Term => ({
  words: `oifname "${beginning}*"`,
  expressions: [meta(META.OIFNAME), compare(EQUAL, Buffer.from(beginning))],
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

const inSubnet6 =
  (word: 'saddr' | 'daddr') =>
  (subnet: Subnet6, isNot = false): Term => ({
    words: `ip6 ${word} ${isNot ? '!= ' : ''}${subnet.prefix === 128 ? textOfAddress6(subnet.first) : textOfSubnet6(subnet)}`,
    expressions: [
      payload(NETWORK_HEADER, OFFSET6[word], ADDRESS6_BYTES),
      mask(bytesOfAddress6((1n << 128n) - (1n << BigInt(128 - subnet.prefix)))),
      compare(isNot ? NOT_EQUAL : EQUAL, bytesOfAddress6(subnet.first)),
    ],
  });
export const saddr6 = inSubnet6('saddr');
export const daddr6 = inSubnet6('daddr');

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

const dnatTo = (words: string, family: Family, address: Uint8Array, port: number): Term => ({
  words,
  expressions: [
    load(REGISTER.ONE, address),
    load(REGISTER.TWO, be16(port)),
    expression(
      'nat',
      attribute(1, be32(1)), // NFT_NAT_DNAT
      attribute(2, be32(FAMILY[family])),
      attribute(3, be32(REGISTER.ONE)),
      attribute(5, be32(REGISTER.TWO)),
    ),
  ],
});

/** Another destination, before the kernel looks for the way. */
export const dnat = (address: number, port: number): Term =>
  dnatTo(`dnat to ${textOfAddress(address)}:${port}`, 'ip', bytesOfAddress(address), port);
export const dnat6 = (address: bigint, port: number): Term =>
  dnatTo(`dnat to [${textOfAddress6(address)}]:${port}`, 'ip6', bytesOfAddress6(address), port);
