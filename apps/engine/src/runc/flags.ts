/**
 * Options as Go's flag package and urfave/cli read them, since that is what callers of runc are used to: one dash or two,
 * `--name value` or `--name=value`, no bundles of short ones.
 * Upstream: https://pkg.go.dev/flag, github.com/urfave/cli v1.
 */
import { EngineError } from '../protocol/errdefs.ts';

export type Options = Readonly<
  Record<
    string,
    {
      readonly type: 'string' | 'boolean';
      readonly short?: string;
      readonly default?: string;
      readonly multiple?: boolean;
    }
  >
>;

export interface Flags {
  readonly values: Readonly<Record<string, string | boolean | readonly string[]>>;
  /** Everything that is no option. */
  readonly words: readonly string[];
}

/** Go's strconv.ParseBool. */
const BOOLEANS = new Map<string, boolean>([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((word) => [word, false] as const),
]);

const refuse = (sentence: string): never => {
  throw new EngineError('invalid_argument', sentence);
};

/** `leading`: options end at the first word, since what follows is a command line of its own (`exec ID ls -l`). */
export const parseFlags = (
  args: readonly string[],
  options: Options,
  { leading = false } = {},
): Flags => {
  const values: Record<string, string | boolean | readonly string[]> = {};
  for (const [name, option] of Object.entries(options))
    if (option.default !== undefined) values[name] = option.default;
  const words: string[] = [];
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const parts = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word);
    if (word === '--') return { values, words: [...words, ...rest] };
    if (!parts) {
      if (/^-./.test(word)) refuse(`bad flag syntax: ${word}`);
      words.push(word);
      if (leading) return { values, words: [...words, ...rest] };
      continue;
    }
    const given = parts[1] ?? '';
    const [name, option] =
      Object.entries(options).find(([long, { short }]) => long === given || short === given) ?? [];
    if (name === undefined || !option) return refuse(`flag provided but not defined: -${given}`);
    if (option.type === 'boolean') {
      values[name] =
        parts[2] === undefined
          ? true
          : (BOOLEANS.get(parts[2]) ??
            refuse(`invalid boolean value ${JSON.stringify(parts[2])} for -${given}: parse error`));
      continue;
    }
    const value = parts[2] ?? rest.shift() ?? refuse(`flag needs an argument: -${given}`);
    const before = values[name];
    values[name] = option.multiple ? [...(Array.isArray(before) ? before : []), value] : value;
  }
  return { values, words };
};

export const textOf = ({ values }: Pick<Flags, 'values'>, name: string): string | undefined => {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
};

export const listOf = ({ values }: Pick<Flags, 'values'>, name: string): readonly string[] => {
  const value = values[name];
  return Array.isArray(value) ? value : [];
};

export const isSet = ({ values }: Pick<Flags, 'values'>, name: string): boolean =>
  values[name] === true;
