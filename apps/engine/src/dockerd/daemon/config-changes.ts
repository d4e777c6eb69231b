/**
 * `--change` of `docker commit` and `docker import`: single lines of a Dockerfile that change an image's configuration.
 * Upstream: moby builder/dockerfile (BuildFromConfig).
 */
import { EngineError } from '../../protocol/errdefs.ts';
import type { ImageConfig } from '../images/image-store.ts';

type Settings = NonNullable<ImageConfig['config']>;
type Change = (settings: Settings, rest: string) => Settings;

const bad = (words: string): EngineError => new EngineError('invalid_argument', words);

/** `["a", "b"]`, or a line for the shell. */
const command = (rest: string): string[] => {
  try {
    const value: unknown = JSON.parse(rest);
    if (Array.isArray(value) && value.every((word) => typeof word === 'string')) return value;
  } catch {
    // A line for the shell, then.
  }
  return ['/bin/sh', '-c', rest];
};

/** `a=b c="d e"`, or `a b`. */
const pairs = (instruction: string, rest: string): [key: string, value: string][] => {
  const plain = /^([^\s=]+)\s+(.*)$/s.exec(rest);
  if (plain) return [[plain[1] ?? '', plain[2] ?? '']];
  const found = [...rest.matchAll(/([^\s=]+)=("(?:[^"\\]|\\.)*"|'[^']*'|(?:[^\s"'\\]|\\.)*)/gs)];
  if (found.length === 0) throw bad(`${instruction} must have two arguments`);
  return found.map(([, key = '', value = '']) => [
    key,
    value.startsWith("'")
      ? value.slice(1, -1)
      : value.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1'),
  ]);
};

const words = (rest: string): string[] => {
  const listed = rest.startsWith('[') ? command(rest) : rest.split(/\s+/);
  return listed.filter((word) => word !== '');
};

const CHANGES: Readonly<Record<string, Change>> = {
  CMD: (settings, rest) => ({ ...settings, Cmd: command(rest) }),
  ENTRYPOINT: (settings, rest) => ({ ...settings, Entrypoint: command(rest) }),
  ENV: (settings, rest) => ({
    ...settings,
    Env: pairs('ENV', rest).reduce<string[]>(
      (env, [key, value]) => [
        ...env.filter((each) => !each.startsWith(`${key}=`)),
        `${key}=${value}`,
      ],
      settings.Env ?? [],
    ),
  }),
  LABEL: (settings, rest) => ({
    ...settings,
    Labels: { ...settings.Labels, ...Object.fromEntries(pairs('LABEL', rest)) },
  }),
  EXPOSE: (settings, rest) => ({
    ...settings,
    ExposedPorts: {
      ...settings.ExposedPorts,
      ...Object.fromEntries(words(rest).map((port) => [portOf(port), {}])),
    },
  }),
  VOLUME: (settings, rest) => ({
    ...settings,
    Volumes: {
      ...settings.Volumes,
      ...Object.fromEntries(words(rest).map((path) => [path, {}])),
    },
  }),
  USER: (settings, rest) => ({ ...settings, User: rest }),
  WORKDIR: (settings, rest) => ({
    ...settings,
    WorkingDir: rest.startsWith('/') ? rest : `${settings.WorkingDir ?? ''}/${rest}`,
  }),
  STOPSIGNAL: (settings, rest) => ({ ...settings, StopSignal: rest }),
};

const portOf = (text: string): string => {
  const [, port = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  if (port === '' || Number(port) > 65_535) throw bad(`invalid containerPort: ${text}`);
  return `${port}/${protocol}`;
};

export const withChanges = (settings: Settings, changes: readonly string[]): Settings =>
  changes.reduce<Settings>((changed, line) => {
    const [, instruction = '', rest = ''] = /^\s*(\S+)\s*(.*?)\s*$/s.exec(line) ?? [];
    const change = CHANGES[instruction.toUpperCase()];
    if (!change) throw bad(`${instruction.toLowerCase()} is not a valid change command`);
    if (rest === '') throw bad(`${instruction.toUpperCase()} requires at least one argument`);
    return change(changed, rest);
  }, settings);
