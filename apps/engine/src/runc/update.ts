/**
 * `runc update [--memory 64M …] ID` or `runc update --resources FILE ID`: new limits for a container.
 * Upstream: runc update.go; sizes as in github.com/docker/go-units.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readState } from '../libcontainer/state-file.ts';
import { updateContainer } from '../libcontainer/update-container.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { LinuxResources } from '../protocol/oci/runtime-spec.ts';
import { parseId } from './command-line.ts';
import { type Flags, type Options, textOf } from './flags.ts';
import type { Verb } from './verb.ts';

const text = { type: 'string' } as const;
const OPTIONS = {
  resources: { type: 'string', short: 'r' },
  'blkio-weight': text,
  'cpu-period': text,
  'cpu-quota': text,
  'cpu-share': text,
  'cpu-rt-period': text,
  'cpu-rt-runtime': text,
  'cpuset-cpus': text,
  'cpuset-mems': text,
  memory: text,
  'memory-reservation': text,
  'memory-swap': text,
  'pids-limit': text,
  'l3-cache-schema': text,
  'mem-bw-schema': text,
} as const satisfies Options;

export const update: Verb = async ({ native, tracer, global, rest }) => {
  const flags = parseId('update', rest, OPTIONS);
  const { id } = flags;
  const root = resolve(global.root);
  // First of all, whether there is such a container: as upstream.
  readState(root, id);
  for (const name of ['l3-cache-schema', 'mem-bw-schema'] as const) {
    if (textOf(flags, name))
      throw new EngineError('failed_precondition', 'Intel RDT is not supported');
  }
  const file = textOf(flags, 'resources');
  const resources = file === undefined ? resourcesIn(flags) : readResources(file);
  await updateContainer({ native, tracer, root, id, resources });
};

const STDIN = 0;

const readResources = (file: string): LinuxResources => {
  let json: string;
  try {
    json = readFileSync(file === '-' ? STDIN : file, 'utf8');
  } catch (error) {
    throw new EngineError('not_found', `open ${file}: no such file or directory`, { cause: error });
  }
  try {
    return LinuxResources.parse(JSON.parse(json));
  } catch (error) {
    throw new EngineError('invalid_argument', `resources: ${messageOf(error)}`, { cause: error });
  }
};

const UNITS = 'kmgtp';

/** `64M`, `1.5g`, `4096`, `10KiB`; `-1` is no limit. */
const sizeOf = (name: string, word: string): number => {
  if (word === '-1') return -1;
  const parts = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])i?)?b?$/i.exec(word);
  if (!parts)
    throw new EngineError('invalid_argument', `invalid value for ${name}: invalid size: '${word}'`);
  const exponent = parts[2] === undefined ? 0 : UNITS.indexOf(parts[2].toLowerCase()) + 1;
  return Math.floor(Number(parts[1]) * 1024 ** exponent);
};

const integerOf = (name: string, word: string, isSigned: boolean): number => {
  if ((isSigned ? /^[+-]?\d+$/ : /^\d+$/).test(word) && Number.isSafeInteger(Number(word)))
    return Number(word);
  const parser = isSigned ? 'ParseInt' : 'ParseUint';
  throw new EngineError(
    'invalid_argument',
    `invalid value for ${name}: strconv.${parser}: parsing ${JSON.stringify(word)}: invalid syntax`,
  );
};

const resourcesIn = (flags: Flags): LinuxResources => {
  /** The field, or nothing where the option was not given: what is not named stays as it is. */
  const field = <T>(key: string, name: string, read: (name: string, word: string) => T) => {
    const word = textOf(flags, name);
    return word === undefined || word === '' ? {} : { [key]: read(name, word) };
  };
  const signed = (name: string, word: string) => integerOf(name, word, true);
  const unsigned = (name: string, word: string) => integerOf(name, word, false);
  const asIs = (_: string, word: string) => word;
  const group = (key: string, values: Readonly<Record<string, unknown>>) =>
    Object.keys(values).length === 0 ? {} : { [key]: values };
  return LinuxResources.parse({
    ...group('blockIO', field('weight', 'blkio-weight', unsigned)),
    ...group('cpu', {
      ...field('period', 'cpu-period', unsigned),
      ...field('quota', 'cpu-quota', signed),
      ...field('shares', 'cpu-share', unsigned),
      ...field('realtimePeriod', 'cpu-rt-period', unsigned),
      ...field('realtimeRuntime', 'cpu-rt-runtime', signed),
      ...field('cpus', 'cpuset-cpus', asIs),
      ...field('mems', 'cpuset-mems', asIs),
    }),
    ...group('memory', {
      ...field('limit', 'memory', sizeOf),
      ...field('reservation', 'memory-reservation', sizeOf),
      ...field('swap', 'memory-swap', sizeOf),
    }),
    ...group('pids', field('limit', 'pids-limit', signed)),
  });
};
