/** `ps`, `logs`, `stop`, `rm`, `images`, `version`. Upstream: docker/cli cli/command. */
import type { ContainerSummary } from '../protocol/docker-engine-api/containers.ts';
import { FrameDecoder } from '../protocol/docker-engine-api/frame.ts';
import type { ImageSummary } from '../protocol/docker-engine-api/images.ts';
import { API_VERSION } from '../protocol/docker-engine-api/versions.ts';
import { EngineError } from '../protocol/errdefs.ts';
import { flag, parseArguments, parseFilterFlags, value } from './arguments.ts';
import { DaemonError, type EngineApi } from './engine-api.ts';

export type Command = (api: EngineApi, words: readonly string[]) => Promise<number>;

const SHORT_ID = 12;
const COLUMN_GAP = '   ';

const printTable = (rows: readonly (readonly string[])[]): void => {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of rows) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(COLUMN_GAP);
    process.stdout.write(`${line.trimEnd()}\n`);
  }
};

const ago = (seconds: number): string => {
  const age = Math.max(0, Date.now() / 1000 - seconds);
  if (age < 120) return `${Math.floor(age)} seconds ago`;
  if (age < 7200) return `${Math.floor(age / 60)} minutes ago`;
  if (age < 172_800) return `${Math.floor(age / 3600)} hours ago`;
  return `${Math.floor(age / 86_400)} days ago`;
};

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)}MB`;

export const ps: Command = async (api, words) => {
  const { flags } = parseArguments(
    words,
    { all: flag('a'), quiet: flag('q'), filter: value('f') },
    { stopsAtWord: false },
  );
  const query = new URLSearchParams();
  if (flags.has('all')) query.set('all', '1');
  const filters = flags.get('filter');
  if (filters) query.set('filters', parseFilterFlags(filters));
  const found = await api.json<ContainerSummary[]>(
    'GET',
    `/containers/json${query.size > 0 ? `?${query.toString()}` : ''}`,
  );
  if (flags.has('quiet')) {
    for (const { Id } of found) process.stdout.write(`${Id.slice(0, SHORT_ID)}\n`);
    return 0;
  }
  printTable([
    ['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'NAMES'],
    ...found.map((container) => [
      container.Id.slice(0, SHORT_ID),
      container.Image,
      `"${container.Command.slice(0, 20)}"`,
      ago(container.Created),
      container.Status,
      container.Names.map((name) => name.slice(1)).join(','),
    ]),
  ]);
  return 0;
};

export const images: Command = async (api, words) => {
  parseArguments(words, {}, { stopsAtWord: false });
  const found = await api.json<ImageSummary[]>('GET', '/images/json');
  printTable([
    ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'],
    ...found.flatMap((image) =>
      (image.RepoTags.length > 0 ? image.RepoTags : ['<none>:<none>']).map((name) => {
        const colon = name.lastIndexOf(':');
        const id = image.Id.replace('sha256:', '').slice(0, SHORT_ID);
        return [
          name.slice(0, colon),
          name.slice(colon + 1),
          id,
          ago(image.Created),
          megabytes(image.Size),
        ];
      }),
    ),
  ]);
  return 0;
};

export const logs: Command = async (api, words) => {
  const specs = { follow: flag('f'), timestamps: flag('t'), tail: value('n'), since: value() };
  const { flags, rest } = parseArguments(words, specs, { stopsAtWord: false });
  const name = encodeURIComponent(oneName('logs', rest));
  const { Config } = await api.json<{ Config: { Tty: boolean } }>(
    'GET',
    `/containers/${name}/json`,
  );
  const query = new URLSearchParams({
    stdout: '1',
    stderr: '1',
    tail: flags.get('tail')?.at(-1) ?? 'all',
  });
  if (flags.has('follow')) query.set('follow', '1');
  if (flags.has('timestamps')) query.set('timestamps', '1');
  const since = flags.get('since')?.at(-1);
  if (since !== undefined) query.set('since', since);
  const frames = new FrameDecoder();
  for await (const chunk of await api.stream(
    'GET',
    `/containers/${name}/logs?${query.toString()}`,
  )) {
    if (Config.Tty) process.stdout.write(chunk as Buffer);
    else {
      for (const { stream, payload } of frames.push(chunk as Buffer))
        process[stream].write(payload);
    }
  }
  return 0;
};

const oneName = (command: string, rest: readonly string[]): string => {
  const [name, ...others] = rest;
  if (name !== undefined && others.length === 0) return name;
  throw new EngineError('invalid_argument', `'docker ${command}' requires 1 argument`);
};

/** Does it for each name; prints those that went well, and says why for the others. */
const forEach = async (
  command: string,
  names: readonly string[],
  work: (name: string) => Promise<void>,
): Promise<number> => {
  if (names.length === 0) {
    throw new EngineError('invalid_argument', `'docker ${command}' requires at least 1 argument`);
  }
  let exitCode = 0;
  for (const name of names) {
    try {
      await work(encodeURIComponent(name));
      process.stdout.write(`${name}\n`);
    } catch (error) {
      if (!(error instanceof DaemonError)) throw error;
      process.stderr.write(`Error response from daemon: ${error.message}\n`);
      exitCode = 1;
    }
  }
  return exitCode;
};

export const stop: Command = (api, words) => {
  const specs = { time: value('t'), timeout: value(), signal: value('s') };
  const { flags, rest } = parseArguments(words, specs, { stopsAtWord: false });
  const query = new URLSearchParams();
  const seconds = flags.get('timeout')?.at(-1) ?? flags.get('time')?.at(-1);
  if (seconds !== undefined) query.set('t', seconds);
  const signal = flags.get('signal')?.at(-1);
  if (signal !== undefined) query.set('signal', signal);
  return forEach('stop', rest, (name) =>
    api.call('POST', `/containers/${name}/stop?${query.toString()}`),
  );
};

export const rm: Command = (api, words) => {
  const { flags, rest } = parseArguments(words, { force: flag('f') }, { stopsAtWord: false });
  const query = flags.has('force') ? '?force=1' : '';
  return forEach('rm', rest, (name) => api.call('DELETE', `/containers/${name}${query}`));
};

interface VersionAnswer {
  readonly Platform: { readonly Name: string };
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly Os: string;
  readonly Arch: string;
}

export const version: Command = async (api, words) => {
  parseArguments(words, {}, { stopsAtWord: false });
  process.stdout.write(`Client: Engine Room\n API version:  ${API_VERSION}\n\n`);
  const server = await api.json<VersionAnswer>('GET', '/version');
  process.stdout.write(
    `Server: ${server.Platform.Name}\n Version:      ${server.Version}\n` +
      ` API version:  ${server.ApiVersion} (minimum version ${server.MinAPIVersion})\n` +
      ` OS/Arch:      ${server.Os}/${server.Arch}\n`,
  );
  return 0;
};
