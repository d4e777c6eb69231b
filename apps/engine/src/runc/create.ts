/**
 * `runc create [--bundle B] [--pid-file F] [--console-socket S] ID`: the caller's stdio becomes the container's.
 * Upstream: runc create.go, tty.go.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createContainer } from '../libcontainer/create-container.ts';
import { EngineError } from '../protocol/errdefs.ts';
import { parseVerb } from './command-line.ts';
import { connectToConsole } from './console-socket.ts';
import type { Verb } from './verb.ts';

const OPTIONS = {
  bundle: { type: 'string', short: 'b' },
  'pid-file': { type: 'string' },
  'console-socket': { type: 'string' },
  'no-pivot': { type: 'boolean' },
  'no-new-keyring': { type: 'boolean' },
  'preserve-fds': { type: 'string' },
} as const;

export const create: Verb = async ({ native, tracer, global, rest }) => {
  const { values, positionals } = parseVerb('create', rest, OPTIONS, {
    required: ['container-id'],
  });
  for (const name of ['no-pivot', 'no-new-keyring'] as const) {
    if (values[name]) throw new EngineError('invalid_argument', `--${name} is not supported`);
  }
  if (values['preserve-fds'] !== undefined && values['preserve-fds'] !== '0') {
    throw new EngineError('invalid_argument', '--preserve-fds is not supported');
  }
  const path = values['console-socket'];
  const consoleSocket = typeof path === 'string' ? await connectToConsole(path) : undefined;
  const created = await createContainer({
    native,
    tracer,
    root: resolve(global.root),
    id: positionals[0] ?? '',
    bundle: resolve(typeof values.bundle === 'string' ? values.bundle : '.'),
    stdio: [0, 1, 2],
    ...(consoleSocket === undefined ? {} : { consoleSocket }),
  });
  native.close(created.pidfd);
  if (typeof values['pid-file'] === 'string')
    writeFileSync(values['pid-file'], String(created.pid));
};
