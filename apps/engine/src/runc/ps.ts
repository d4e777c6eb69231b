/**
 * `runc ps [--format table|json] ID [ps options]`: the container's processes, by its cgroup. ps(1). Upstream: runc ps.go.
 */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { cgroupFoldersBelow, pidsIn } from '../libcontainer/remove-cgroups.ts';
import { readState } from '../libcontainer/state-file.ts';
import { EngineError } from '../protocol/errdefs.ts';
import { parseLeadingOptions } from './command-line.ts';
import { textOf } from './flags.ts';
import type { Verb } from './verb.ts';

const OPTIONS = { format: { type: 'string', short: 'f', default: 'table' } } as const;

export const ps: Verb = async ({ global, rest }) => {
  const flags = parseLeadingOptions('ps', rest, OPTIONS);
  const { cgroupPaths } = readState(resolve(global.root), flags.id);
  const pids = pidsIn(Object.values(cgroupPaths).flatMap(cgroupFoldersBelow));
  switch (textOf(flags, 'format')) {
    case 'json':
      process.stdout.write(`${JSON.stringify(pids.length > 0 ? pids : null)}\n`);
      return;
    case 'table':
      process.stdout.write(tableOf(pids, flags.command));
      return;
    default:
      throw new EngineError('invalid_argument', 'invalid format option');
  }
};

/** What ps(1) prints, less what is not the container's. */
const tableOf = (pids: readonly number[], psOptions: readonly string[]): string => {
  const options = psOptions.length > 0 ? psOptions : ['-ef'];
  const { status, stdout, stderr } = spawnSync('ps', options, { encoding: 'utf8' });
  if (status !== 0) throw new EngineError('unknown', `exit status ${status}: ${stdout}${stderr}`);
  const [title = '', ...lines] = stdout.split('\n');
  const column = title.trim().split(/\s+/).indexOf('PID');
  if (column < 0) throw new EngineError('unknown', "couldn't find PID field in ps output");
  const own = lines.filter((line) => pids.includes(Number(line.trim().split(/\s+/)[column])));
  return [title, ...own].map((line) => `${line}\n`).join('');
};
