/**
 * What `create` and `run` have in common: from the options to a created container.
 * Upstream: runc utils_linux.go (startContainer).
 */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { createContainer, type CreatedContainer } from '../libcontainer/create-container.ts';
import { readConfig } from '../libcontainer/config-file.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { connectToConsole } from './console-socket.ts';
import { type Flags, isSet, type Options, textOf } from './flags.ts';
import { logWarning } from './log.ts';
import { preservedFds } from './preserved-fds.ts';
import type { Invocation } from './verb.ts';

export const CREATE_OPTIONS = {
  bundle: { type: 'string', short: 'b' },
  'console-socket': { type: 'string' },
  'pid-file': { type: 'string' },
  'no-pivot': { type: 'boolean' },
  'no-new-keyring': { type: 'boolean' },
  'preserve-fds': { type: 'string', default: '0' },
} as const satisfies Options;

export interface Launched {
  readonly container: CreatedContainer;
  readonly hasTerminal: boolean;
}

export const createFromFlags = async (
  invocation: Invocation,
  flags: Flags & { readonly id: string },
  { detach }: { readonly detach: boolean },
): Promise<Launched> => {
  const { native, tracer, global } = invocation;
  const bundle = resolve(textOf(flags, 'bundle') ?? '.');
  checkBundle(bundle);
  const config = readConfig(bundle);
  const { fds, env } = preservedFds(flags);
  const spec = config.process
    ? { ...config, process: { ...config.process, env: [...(config.process.env ?? []), ...env] } }
    : config;
  const hasTerminal = spec.process?.terminal === true;
  const socket = textOf(flags, 'console-socket') ?? '';
  checkConsole({ hasTerminal, detach, hasSocket: socket !== '' });
  const container = await createContainer({
    native,
    tracer,
    root: resolve(global.root),
    id: flags.id,
    bundle,
    spec,
    stdio: [0, 1, 2],
    preservedFds: fds,
    noPivot: isSet(flags, 'no-pivot'),
    onWarning: (message) => logWarning(message, global),
    keepSessionKeyring: isSet(flags, 'no-new-keyring'),
    ...(socket === '' ? {} : { consoleSocket: await connectToConsole(socket) }),
  });
  return { container, hasTerminal };
};

const checkBundle = (bundle: string): void => {
  try {
    statSync(bundle);
  } catch (error) {
    throw new EngineError(
      'not_found',
      `runc create failed: chdir ${bundle}: no such file or directory`,
      { cause: error },
    );
  }
};

/** A master that nobody holds would be a terminal without an end. */
export const checkConsole = (
  console: { readonly hasTerminal: boolean; readonly detach: boolean; readonly hasSocket: boolean },
  words = 'runc create failed: ',
): void => {
  const { hasTerminal, detach, hasSocket } = console;
  const refuse = (sentence: string): never => {
    throw new EngineError('invalid_argument', `${words}${sentence}`);
  };
  if (detach && hasTerminal && !hasSocket)
    refuse('cannot allocate tty if runc will detach without setting console socket');
  if ((!detach || !hasTerminal) && hasSocket)
    refuse('cannot use console socket if runc will not detach or allocate tty');
};

/** The same failure, told by the verb that was called. */
export const asVerb =
  (verb: string) =>
  (error: unknown): never => {
    const message = messageOf(error).replace(/^runc create failed: /, '');
    throw new EngineError('unknown', `runc ${verb} failed: ${message}`, { cause: error });
  };
