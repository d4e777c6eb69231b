/**
 * `runc list [--format table|json] [--quiet]`: the containers below `--root`. Upstream: runc list.go.
 */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readState } from '../libcontainer/state-file.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { parseVerb } from './command-line.ts';
import { isSet, type Options, textOf } from './flags.ts';
import type { Verb } from './verb.ts';

const OPTIONS = {
  format: { type: 'string', short: 'f', default: 'table' },
  quiet: { type: 'boolean', short: 'q' },
} as const satisfies Options;

export const list: Verb = async ({ global, rest }) => {
  const flags = parseVerb('list', rest, OPTIONS, 0);
  const containers = await containersIn(resolve(global.root));
  if (isSet(flags, 'quiet')) {
    process.stdout.write(containers.map(({ id }) => `${id}\n`).join(''));
    return;
  }
  switch (textOf(flags, 'format')) {
    case 'json':
      process.stdout.write(`${JSON.stringify(containers.length > 0 ? containers : null)}\n`);
      return;
    case 'table':
      process.stdout.write(tableOf(containers));
      return;
    default:
      throw new EngineError('invalid_argument', 'invalid format option');
  }
};

const containersIn = async (root: string) => {
  const containers = [];
  for (const id of namesIn(root)) {
    try {
      const { ociVersion, pid, status, bundle, rootfs, created, annotations } = readState(root, id);
      containers.push({
        ociVersion,
        id,
        pid: status === 'stopped' ? 0 : pid,
        status,
        bundle,
        rootfs,
        created,
        ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
        owner: ownerOf(statSync(join(root, id)).uid),
      });
    } catch (error) {
      // One that is just being made or removed must not hide the others.
      process.stderr.write(`load container ${id}: ${messageOf(error)}\n`);
    }
  }
  return containers;
};

const namesIn = (root: string): readonly string[] => {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
};

const ownerOf = (uid: number): string => (uid === 0 ? 'root' : `#${uid}`);

const WIDTH = 12;
const GAP = 3;

/** Columns as Go's text/tabwriter lays them out: as wide as their longest cell, but never narrow. */
const tableOf = (containers: Awaited<ReturnType<typeof containersIn>>): string => {
  const rows = [
    ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'],
    ...containers.map(({ id, pid, status, bundle, created, owner }) => [
      id,
      String(pid),
      status,
      bundle,
      created,
      owner,
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(WIDTH, ...rows.map((row) => (row[column] ?? '').length + GAP)),
  );
  return rows
    .map((row) => {
      const cells = row.map((cell, column) =>
        column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0),
      );
      return `${cells.join('')}\n`;
    })
    .join('');
};
