/**
 * Packet rules by nf_tables: what `nft -f` sends. A table is replaced as a whole, in one transaction: no packet ever
 * meets half a ruleset. See nft(8), linux/netfilter/nf_tables.h. Upstream: github.com/google/nftables.
 */
import {
  attribute,
  be16,
  be32,
  message,
  nested,
  NetlinkError,
  NLM_F,
  text,
  u8,
} from './message.ts';
import { FAMILY, type Family, type Rule } from './nf-terms.ts';
import type { NetlinkSocket } from './socket.ts';

const SUBSYSTEM = 10;
const BATCH = { BEGIN: 0x10, END: 0x11 } as const;
const MESSAGE = { NEWTABLE: 0, DELTABLE: 2, NEWCHAIN: 3, GETCHAIN: 4, NEWRULE: 6 } as const;

const TABLE_NAME = 1;
const CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5, TYPE: 7 } as const;
const HOOK = { NUMBER: 1, PRIORITY: 2 } as const;
const RULE = { TABLE: 1, CHAIN: 2, EXPRESSIONS: 4 } as const;

export interface Chain {
  readonly name: string;
  readonly type: 'nat' | 'filter';
  readonly hook: 'prerouting' | 'forward' | 'output' | 'postrouting';
  readonly priority: number;
  readonly rules: readonly Rule[];
}

const HOOK_NUMBER = { prerouting: 0, forward: 2, output: 3, postrouting: 4 } as const;

/** struct nfgenmsg. */
const header = (family: number, resource = 0): Buffer =>
  Buffer.concat([u8(family), u8(0), be16(resource)]);

const request = (
  family: Family,
  kind: number,
  flags: number,
  ...attributes: readonly Uint8Array[]
): Buffer => message((SUBSYSTEM << 8) | kind, flags, header(FAMILY[family]), ...attributes);

const transaction = (...requests: readonly Buffer[]): Buffer[] => [
  message(BATCH.BEGIN, 0, header(0, SUBSYSTEM)),
  ...requests,
  message(BATCH.END, 0, header(0, SUBSYSTEM)),
];

/** Only this one asks for a yes: a no comes in any case, and a yes to each of many rules would not fit the buffer. */
const newTable = (family: Family, name: string): Buffer =>
  request(family, MESSAGE.NEWTABLE, NLM_F.CREATE | NLM_F.ACK, attribute(TABLE_NAME, text(name)));
const deleteTable = (family: Family, name: string): Buffer =>
  request(family, MESSAGE.DELTABLE, 0, attribute(TABLE_NAME, text(name)));

const newChain = (family: Family, table: string, chain: Chain): Buffer =>
  request(
    family,
    MESSAGE.NEWCHAIN,
    NLM_F.CREATE,
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

const newRule = (family: Family, table: string, chain: string, rule: Rule): Buffer =>
  request(
    family,
    MESSAGE.NEWRULE,
    NLM_F.CREATE | NLM_F.APPEND,
    attribute(RULE.TABLE, text(table)),
    attribute(RULE.CHAIN, text(chain)),
    nested(RULE.EXPRESSIONS, ...rule.flatMap(({ expressions }) => expressions)),
  );

/** Whether somebody, iptables(8) for one, has made it. */
export const hasChain = (
  socket: NetlinkSocket,
  {
    family,
    table,
    chain,
  }: { readonly family: Family; readonly table: string; readonly chain: string },
): boolean => {
  try {
    const names = [attribute(CHAIN.TABLE, text(table)), attribute(CHAIN.NAME, text(chain))];
    return (
      socket.ask(`find chain ${chain}`, request(family, MESSAGE.GETCHAIN, 0, ...names)).length > 0
    );
  } catch (error) {
    if (error instanceof NetlinkError && error.code === 'ENOENT') return false;
    throw error;
  }
};

/** `add table; delete table; add table …`: whatever was in it, now it is this. */
export const replaceTable = (
  socket: NetlinkSocket,
  table: string,
  chains: readonly Chain[],
  family: Family = 'ip',
): void => {
  socket.ask(
    `replace nf_tables table ${table}`,
    ...transaction(
      newTable(family, table),
      deleteTable(family, table),
      newTable(family, table),
      ...chains.flatMap((chain) => [
        newChain(family, table, chain),
        ...chain.rules.map((rule) => newRule(family, table, chain.name, rule)),
      ]),
    ),
  );
};

export const removeTable = (socket: NetlinkSocket, table: string, family: Family = 'ip'): void => {
  socket.ask(
    `remove nf_tables table ${table}`,
    ...transaction(newTable(family, table), deleteTable(family, table)),
  );
};
