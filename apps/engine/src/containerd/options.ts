/** The command line: `containerd --address … --root … --state …`, with real containerd's names and defaults. */
import { isAbsolute } from 'node:path';
import { parseArgs } from 'node:util';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { isLogLevel, type LogLevel } from './log.ts';

export interface Options {
  readonly address: string;
  readonly root: string;
  readonly state: string;
  readonly pidfile: string | undefined;
  readonly logLevel: LogLevel;
}

/** Words behind the name that are no daemon: `publish` and `oci-hook`. */
export type Command =
  | { readonly command: 'publish'; address: string; topic: string; namespace: string }
  | { readonly command: 'oci-hook'; readonly words: readonly string[] };

export const USAGE = `Usage: containerd [options]
       containerd --address PATH publish --topic TOPIC --namespace NAMESPACE < EVENT
       containerd oci-hook -- PROGRAM [ARGUMENT...]

  -a, --address PATH     gRPC socket (default /run/engine-room/containerd.sock); ttrpc for shims is PATH.ttrpc
      --root PATH        what must survive a reboot: content, snapshots, metadata (default /var/lib/engine-room/containerd)
      --state PATH       what need not: the bundles of tasks (default /run/engine-room/containerd)
      --pidfile PATH     file to write the pid to
  -l, --log-level LEVEL  trace, debug, info, warn, error or fatal (default info)
  -v, --version          print the version
  -h, --help             print this
`;

export const parseOptions = (argv: readonly string[]): Options | Command | 'help' | 'version' => {
  const { values, positionals } = parse(argv);
  if (values.help) return 'help';
  if (values.version) return 'version';
  const [command, ...words] = positionals;
  if (command === 'oci-hook') return { command, words };
  if (command === 'publish') {
    const { address, topic, namespace } = values;
    return { command, address, topic, namespace };
  }
  if (command !== undefined)
    throw new EngineError('invalid_argument', `No help topic for '${command}'`);
  const logLevel = values['log-level'];
  if (!isLogLevel(logLevel))
    throw new EngineError('invalid_argument', `invalid log level "${logLevel}"`);
  const paths = {
    address: values.address,
    root: values.root,
    state: values.state,
    pidfile: values.pidfile,
  };
  for (const [name, path] of Object.entries(paths)) {
    if (path !== undefined && !isAbsolute(path)) {
      throw new EngineError(
        'invalid_argument',
        `--${name} must be an absolute path, not "${path}"`,
      );
    }
  }
  return {
    address: values.address,
    root: values.root,
    state: values.state,
    pidfile: values.pidfile,
    logLevel,
  };
};

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        topic: { type: 'string', default: '' },
        namespace: { type: 'string', default: '' },
        address: { type: 'string', short: 'a', default: '/run/engine-room/containerd.sock' },
        root: { type: 'string', default: '/var/lib/engine-room/containerd' },
        state: { type: 'string', default: '/run/engine-room/containerd' },
        pidfile: { type: 'string' },
        'log-level': { type: 'string', short: 'l', default: 'info' },
        version: { type: 'boolean', short: 'v', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new EngineError('invalid_argument', messageOf(error), { cause: error });
  }
};
