/**
 * The command line of an OCI runtime, as containerd's go-runc and people write it.
 * https://github.com/opencontainers/runtime-tools/blob/master/docs/command-line-interface.md, runc(8)
 */
import { parseArgs } from 'node:util';
import { EngineError, messageOf } from '../protocol/errdefs.ts';

export interface GlobalOptions {
  readonly root: string;
  /** Where errors are also written, for the shim to read. */
  readonly log: string | null;
  readonly logFormat: 'text' | 'json';
}

export interface CommandLine {
  readonly global: GlobalOptions;
  /** null for `runc --version` and the like. */
  readonly verb: string | null;
  /** Everything behind the verb. */
  readonly rest: readonly string[];
  readonly version: boolean;
  readonly help: boolean;
}

const GLOBAL = {
  root: { type: 'string', default: '/run/runc' },
  log: { type: 'string' },
  'log-format': { type: 'string', default: 'text' },
  debug: { type: 'boolean' },
  'systemd-cgroup': { type: 'boolean' },
  version: { type: 'boolean', short: 'v' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const parseCommandLine = (argv: readonly string[]): CommandLine => {
  const verbAt = firstWord(argv, GLOBAL);
  const { values } = parseStrictly(argv.slice(0, verbAt), GLOBAL);
  const logFormat = values['log-format'];
  if (logFormat !== 'text' && logFormat !== 'json')
    throw new EngineError('invalid_argument', `unknown log-format "${String(logFormat)}"`);
  if (values['systemd-cgroup'])
    throw new EngineError('invalid_argument', 'the systemd cgroup driver is not supported');
  return {
    global: {
      root: String(values.root),
      log: values.log === undefined ? null : String(values.log),
      logFormat,
    },
    verb: argv[verbAt] ?? null,
    rest: argv.slice(verbAt + 1),
    version: values.version === true,
    help: values.help === true,
  };
};

type Options = Readonly<
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
type Values<T extends Options> = { readonly [K in keyof T]?: string | boolean | string[] };

/** Where the first word stands that is neither an option nor the value of one. */
const firstWord = (argv: readonly string[], options: Options): number => {
  const takesValue = new Set(
    Object.entries(options)
      .filter(([, { type }]) => type === 'string')
      .flatMap(([name, { short }]) => (short === undefined ? [name] : [name, short])),
  );
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (!word.startsWith('-')) return index;
    if (takesValue.has(word.replace(/^--?/, ''))) index++;
  }
  return argv.length;
};

/** For verbs whose last words are a command line of their own: `exec ID ls -l`. */
export const parseLeadingOptions = <T extends Options>(
  rest: readonly string[],
  options: T,
): { readonly values: Values<T>; readonly words: readonly string[] } => {
  const at = firstWord(rest, options);
  return { values: parseStrictly(rest.slice(0, at), options).values, words: rest.slice(at) };
};

/** The options of a verb and its arguments, of which there must be as many as named. */
export const parseVerb = <T extends Options>(
  verb: string,
  rest: readonly string[],
  options: T,
  names: { readonly required: readonly string[]; readonly optional?: readonly string[] },
): { readonly values: Values<T>; readonly positionals: readonly string[] } => {
  const { values, positionals } = parseStrictly(rest, options);
  const most = names.required.length + (names.optional ?? []).length;
  if (positionals.length < names.required.length || positionals.length > most) {
    throw new EngineError(
      'invalid_argument',
      `"${verb}" needs ${names.required.map((name) => `<${name}>`).join(' ')}`,
    );
  }
  return { values, positionals };
};

const parseStrictly = <T extends Options>(
  args: readonly string[],
  options: T,
): { values: Values<T>; positionals: string[] } => {
  try {
    // Go's flag package takes one dash as well as two.
    const twoDashes = args.map((word) => (/^-[a-z][a-z-]+/.test(word) ? `-${word}` : word));
    const { values, positionals } = parseArgs({
      args: twoDashes,
      options: { ...options },
      allowPositionals: true,
      strict: true,
    });
    return { values: values as Values<T>, positionals };
  } catch (error) {
    throw new EngineError('invalid_argument', messageOf(error), { cause: error });
  }
};
