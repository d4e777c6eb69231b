/**
 * `--runtime` and `--shim`: other people's components in the place of ours. They are found before anything starts, for a
 * learner who has mistyped a name must not learn it from a container that does not start.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { EngineError } from '../protocol/errdefs.ts';

/** What the daemons get as their PATH. */
export const DAEMON_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface SwappedParts {
  /** An OCI runtime: a path, or a name in PATH. Null for our own. */
  readonly runtime: string | null;
  /** A shim: a path, or the name that containerd gives it. Null for our own. */
  readonly shim: string | null;
}

/** The flags of dockerd that put them in. */
export const dockerdFlags = ({ runtime, shim }: SwappedParts): readonly string[] => [
  ...(shim === null ? [] : ['--shim', findShim(shim), '--default-runtime', 'runc']),
  ...(runtime === null ? [] : runtimeFlags(findRuntime(runtime))),
];

/** Docker keeps the name `runc` for itself. The last --default-runtime is the one that counts. */
const runtimeFlags = (path: string): readonly string[] => {
  const name = basename(path).toLowerCase();
  const added = name === 'runc' ? 'real-runc' : name;
  return ['--add-runtime', `${added}=${path}`, '--default-runtime', added];
};

const findRuntime = (runtime: string): string => {
  const found = find(runtime);
  if (found) return found;
  throw new EngineError(
    'invalid_argument',
    `--runtime ${runtime}: there is no such program${runtime.includes('/') ? '' : ' in PATH'}. ` +
      'Name an OCI runtime or its path; Debian has two: apt-get install runc crun',
  );
};

/** `io.containerd.runc.v2` is `containerd-shim-runc-v2` in PATH. */
const findShim = (shim: string): string => {
  if (shim.startsWith('/')) {
    if (find(shim)) return shim;
    throw new EngineError('invalid_argument', `--shim ${shim}: there is no such program`);
  }
  const [, name, version] = /^(?:[\w-]+\.)+([\w-]+)\.(v\d+)$/.exec(shim) ?? [];
  if (!name || !version)
    throw new EngineError(
      'invalid_argument',
      `--shim ${shim}: name a shim as containerd does (io.containerd.runc.v2), or give its absolute path`,
    );
  const program = `containerd-shim-${name}-${version}`;
  if (find(program)) return shim;
  throw new EngineError(
    'invalid_argument',
    `--shim ${shim}: ${program} is not in PATH. Debian's comes with: apt-get install containerd`,
  );
};

const find = (program: string): string | undefined =>
  (program.includes('/')
    ? [program]
    : DAEMON_PATH.split(delimiter).map((folder) => join(folder, program))
  ).find(isProgram);

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return path.startsWith('/') && statSync(path).isFile();
  } catch {
    return false;
  }
};
