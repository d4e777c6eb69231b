/** Command lines as the docker CLI reads them: flags before the image, everything behind it is the container's. */
import { EngineError } from '../protocol/errdefs.ts';

export interface FlagSpec {
  /** One letter, or null. */
  readonly short: string | null;
  readonly takesValue: boolean;
}

export interface ParsedArguments {
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** What is left, beginning with the first word that is no flag. */
  readonly rest: readonly string[];
}

export const flag = (short: string | null = null): FlagSpec => ({ short, takesValue: false });
export const value = (short: string | null = null): FlagSpec => ({ short, takesValue: true });

const unknown = (word: string): EngineError =>
  new EngineError('invalid_argument', `unknown flag: ${word}`);

/** `stopsAtWord`: `docker run -i busybox -x` hands -x to the container. */
export const parseArguments = (
  words: readonly string[],
  specs: Readonly<Record<string, FlagSpec>>,
  { stopsAtWord }: { readonly stopsAtWord: boolean },
): ParsedArguments => {
  const flags = new Map<string, string[]>();
  const rest: string[] = [];
  const add = (name: string, text: string): void => {
    flags.set(name, [...(flags.get(name) ?? []), text]);
  };
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    const next = (): string => {
      index += 1;
      const text = words[index];
      if (text === undefined) {
        throw new EngineError('invalid_argument', `flag needs an argument: ${word}`);
      }
      return text;
    };
    if (word === '--') {
      rest.push(...words.slice(index + 1));
      break;
    }
    if (word.startsWith('--')) {
      const [name = '', given] = word.slice(2).split(/=(.*)/s, 2);
      const spec = specs[name];
      if (!spec) throw unknown(`--${name}`);
      if (spec.takesValue) add(name, given ?? next());
      else if (given !== 'false') add(name, 'true');
    } else if (word.startsWith('-') && word.length > 1) {
      // -it is -i -t; -m64m and -m=64m are -m 64m.
      for (let at = 1; at < word.length; at++) {
        const letter = word[at];
        const [name, spec] = Object.entries(specs).find(([, { short }]) => short === letter) ?? [];
        if (!name || !spec) throw unknown(`-${letter}`);
        if (!spec.takesValue) {
          add(name, 'true');
          continue;
        }
        const attached = word.slice(at + 1).replace(/^=/, '');
        add(name, attached === '' ? next() : attached);
        break;
      }
    } else if (stopsAtWord) {
      rest.push(...words.slice(index));
      break;
    } else {
      rest.push(word);
    }
  }
  return { flags, rest };
};

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** `64m` → bytes. */
export const parseSize = (text: string): number => {
  const [, number, unit = 'b'] = /^(\d+(?:\.\d+)?)\s*([bkmgt])?(?:i?b)?$/i.exec(text) ?? [];
  if (number === undefined) throw new EngineError('invalid_argument', `invalid size: '${text}'`);
  return Math.floor(Number(number) * (UNITS[unit.toLowerCase()] ?? 1));
};

export const parseNumber = (name: string, text: string): number => {
  const number = Number(text);
  if (text !== '' && Number.isFinite(number)) return number;
  throw new EngineError('invalid_argument', `invalid argument "${text}" for "--${name}"`);
};

/** `--filter label=a --filter label=b` → what the engine's `filters` parameter holds. */
export const parseFilterFlags = (given: readonly string[]): string => {
  const filters = new Map<string, Record<string, true>>();
  for (const text of given) {
    const [, name, wanted] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || wanted === undefined) {
      throw new EngineError(
        'invalid_argument',
        `invalid argument "${text}" for "-f, --filter" flag: bad format of filter (expected name=value)`,
      );
    }
    const key = name.trim().toLowerCase();
    filters.set(key, { ...filters.get(key), [wanted.trim()]: true });
  }
  return JSON.stringify(Object.fromEntries(filters));
};
