/**
 * The command line of an OCI runtime, as containerd's go-runc and people write it.
 * https://github.com/opencontainers/runtime-tools/blob/master/docs/command-line-interface.md, runc(8)
 */
import { EngineError } from '../protocol/errdefs.ts';
import { type Flags, isSet, type Options, parseFlags, textOf } from './flags.ts';

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
  /** Each step goes into the log. */
  readonly debug: boolean;
  readonly help: boolean;
}

const GLOBAL = {
  debug: { type: 'boolean' },
  log: { type: 'string' },
  'log-format': { type: 'string', default: 'text' },
  root: { type: 'string', default: '/run/runc' },
  criu: { type: 'string' },
  rootless: { type: 'string', default: 'auto' },
  'systemd-cgroup': { type: 'boolean' },
  version: { type: 'boolean', short: 'v' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies Options;

export const parseCommandLine = (argv: readonly string[]): CommandLine => {
  const flags = parseFlags(argv, GLOBAL, { leading: true });
  const [verb = null, ...rest] = flags.words;
  const logFormat = textOf(flags, 'log-format');
  if (logFormat !== 'text' && logFormat !== 'json')
    throw new EngineError('invalid_argument', `invalid log-format: ${logFormat}`);
  if (isSet(flags, 'systemd-cgroup'))
    throw new EngineError(
      'invalid_argument',
      'systemd cgroup flag passed, but systemd support for managing cgroups is not available',
    );
  const rootless = textOf(flags, 'rootless') ?? '';
  if (rootless !== 'auto' && rootless !== 'false')
    throw new EngineError('invalid_argument', `--rootless ${rootless} is not supported`);
  return {
    global: { root: textOf(flags, 'root') ?? '', log: textOf(flags, 'log') ?? null, logFormat },
    verb,
    rest,
    debug: isSet(flags, 'debug'),
    version: isSet(flags, 'version'),
    help: isSet(flags, 'help'),
  };
};

/** For verbs whose last words are a command line of their own: `exec ID ls -l`. */
export const parseLeadingOptions = (
  verb: string,
  rest: readonly string[],
  options: Options,
): Flags & { readonly id: string; readonly command: readonly string[] } => {
  const flags = parseFlags(rest, options, { leading: true });
  const [id, ...command] = flags.words;
  if (id === undefined)
    throw new EngineError(
      'invalid_argument',
      `runc: ${JSON.stringify(verb)} requires a minimum of 1 argument(s)`,
    );
  return { ...flags, id, command };
};

/** The options of a verb and its arguments, of which there must be as many as said. */
export const parseVerb = (
  verb: string,
  rest: readonly string[],
  options: Options,
  count: number | { readonly least: number; readonly most: number } = 1,
): Flags => {
  const flags = parseFlags(rest, options);
  const { length } = flags.words;
  const { least, most } = typeof count === 'number' ? { least: count, most: count } : count;
  const wrong = (how: string): never => {
    throw new EngineError(
      'invalid_argument',
      `runc: ${JSON.stringify(verb)} requires ${how} argument(s)`,
    );
  };
  if (least === most && length !== least) wrong(`exactly ${least}`);
  if (length < least) wrong(`a minimum of ${least}`);
  if (length > most) wrong(`a maximum of ${most}`);
  return flags;
};

/** The verbs that are about one container. */
export const parseId = (
  verb: string,
  rest: readonly string[],
  options: Options = {},
): Flags & { readonly id: string } => {
  const flags = parseVerb(verb, rest, options);
  return { ...flags, id: flags.words[0] ?? '' };
};
