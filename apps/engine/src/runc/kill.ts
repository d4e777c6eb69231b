/**
 * `runc kill [--all] ID [SIGNAL]`. kill(2), signal(7). Upstream: runc kill.go.
 */
import { constants } from 'node:os';
import { resolve } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import { setFrozen } from '../libcontainer/cgroups/freezer.ts';
import { readState } from '../libcontainer/state-file.ts';
import { cgroupFoldersBelow, pidsIn } from '../libcontainer/remove-cgroups.ts';
import { EngineError } from '../protocol/errdefs.ts';
import { parseVerb } from './command-line.ts';
import { isSet } from './flags.ts';
import type { Verb } from './verb.ts';

const SIGNALS: Readonly<Record<string, number>> = constants.signals;

/** `9`, `KILL` and `SIGKILL` are the same. */
export const parseSignal = (word: string): number => {
  const upper = word.toUpperCase();
  const named = SIGNALS[upper.startsWith('SIG') ? upper : `SIG${upper}`];
  const number = /^\d+$/.test(word) ? Number(word) : named;
  if (number === undefined || number < 0)
    throw new EngineError('invalid_argument', `unknown signal "${word}"`);
  return number;
};

export const kill: Verb = async ({ native, global, rest }) => {
  const options = { all: { type: 'boolean', short: 'a' } } as const;
  const flags = parseVerb('kill', rest, options, { least: 1, most: 2 });
  const [id = '', word = 'SIGTERM'] = flags.words;
  const found = readState(resolve(global.root), id);
  const signal = parseSignal(word);
  if (isSet(flags, 'all')) {
    for (const pid of pidsIn(Object.values(found.cgroupPaths).flatMap(cgroupFoldersBelow)))
      signalIfThere(pid, signal);
    return;
  }
  if (found.status === 'stopped') throw new EngineError('not_found', 'container not running');
  sendSignal(native, found.pid, signal);
  // On version 1 a frozen process dies only when it is thawed.
  if (signal === constants.signals.SIGKILL && found.status === 'paused')
    await setFrozen(found.cgroupPaths, false);
};

const sendSignal = (native: Native, pid: number, signal: number): void => {
  let pidfd: number;
  try {
    pidfd = native.pidfdOpen(pid);
  } catch (error) {
    throw new EngineError('not_found', 'container not running', { cause: error });
  }
  try {
    native.pidfdSendSignal(pidfd, signal);
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ESRCH';
    throw isGone
      ? new EngineError('not_found', 'container not running', { cause: error })
      : new EngineError('invalid_argument', 'unable to signal init: invalid argument', {
          cause: error,
        });
  } finally {
    native.close(pidfd);
  }
};

/** It may have gone meanwhile. */
const signalIfThere = (pid: number, signal: number): void => {
  try {
    process.kill(pid, signal);
  } catch {
    return;
  }
};
