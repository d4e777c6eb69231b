/**
 * The command line of a shim, as containerd writes it: flags in Go's style, then the action.
 * Upstream: containerd pkg/shim/shim.go (parseFlags).
 */
import { EngineError } from '../protocol/errdefs.ts';

export interface ShimOptions {
  readonly namespace: string;
  readonly id: string;
  /** containerd's gRPC socket. */
  readonly address: string;
  readonly publishBinary: string;
  /** Only for `delete`; otherwise the working directory is the bundle. */
  readonly bundle: string;
  /** Only for `serve`: where to listen. */
  readonly socket: string;
  readonly debug: boolean;
  readonly version: boolean;
  /** Options on stdin, RuntimeInfo on stdout. */
  readonly info: boolean;
  /** start, delete, spare or serve; empty when none was given. */
  readonly action: string;
  readonly operands: readonly string[];
}

const TEXT_FLAGS = ['namespace', 'id', 'address', 'publish-binary', 'bundle', 'socket'] as const;
const BOOLEAN_FLAGS: Readonly<Record<string, string>> = {
  debug: 'debug',
  info: 'info',
  v: 'version',
  version: 'version',
};
const isTextFlag = (name: string): name is (typeof TEXT_FLAGS)[number] =>
  (TEXT_FLAGS as readonly string[]).includes(name);

/** What containerd allows as an id or a namespace: nothing that could leave a directory. */
const IDENTIFIER = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/;
const IDENTIFIER_LIMIT = 76;

export const checkIdentifier = (what: string, value: string): void => {
  if (value.length > IDENTIFIER_LIMIT || !IDENTIFIER.test(value))
    throw new EngineError(
      'invalid_argument',
      `${what} ${JSON.stringify(value)} must match ${IDENTIFIER.source}`,
    );
};

export const parseOptions = (argv: readonly string[]): ShimOptions => {
  const text: Partial<Record<(typeof TEXT_FLAGS)[number], string>> = {};
  const booleans = new Set<string>();
  let at = 0;
  for (; at < argv.length; at += 1) {
    const argument = argv[at] ?? '';
    if (!argument.startsWith('-') || argument === '-') break;
    if (argument === '--') {
      at += 1;
      break;
    }
    const [, name = '', , inline] = /^--?([^=]*)(=(.*))?$/s.exec(argument) ?? [];
    const boolean = BOOLEAN_FLAGS[name];
    if (boolean) {
      if (inline === undefined || inline === 'true') booleans.add(boolean);
    } else if (isTextFlag(name)) {
      const value = inline ?? argv[(at += 1)];
      if (value === undefined)
        throw new EngineError('invalid_argument', `flag needs an argument: -${name}`);
      text[name] = value;
    } else {
      throw new EngineError('invalid_argument', `flag provided but not defined: -${name}`);
    }
  }
  return {
    namespace: text.namespace ?? '',
    id: text.id ?? '',
    address: text.address ?? '',
    publishBinary: text['publish-binary'] ?? '',
    bundle: text.bundle ?? '',
    socket: text.socket ?? '',
    debug: booleans.has('debug'),
    version: booleans.has('version'),
    info: booleans.has('info'),
    action: argv[at] ?? '',
    operands: argv.slice(at + 1),
  };
};
