/**
 * `runc kill [--all] ID [SIGNAL]`. kill(2), signal(7). Upstream: runc kill.go.
 */
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { setFrozen } from '../libcontainer/cgroups/freezer.ts';
import { readState } from '../libcontainer/state-file.ts';
import { cgroupFoldersBelow, pidsIn } from '../libcontainer/remove-cgroups.ts';
import { EngineError } from '../protocol/errdefs.ts';
import { parseVerb } from './command-line.ts';
import type { Verb } from './verb.ts';

const SIGNALS: Readonly<Record<string, number>> = constants.signals;

/** `9`, `KILL` and `SIGKILL` are the same. */
export const parseSignal = (word: string): number => {
  const upper = word.toUpperCase();
  const named = SIGNALS[upper.startsWith('SIG') ? upper : `SIG${upper}`];
  const number = /^\d+$/.test(word) ? Number(word) : named;
  if (number === undefined || number < 0 || number > 64)
    throw new EngineError('invalid_argument', `unknown signal "${word}"`);
  return number;
};

export const kill: Verb = async ({ native, global, rest }) => {
  const { values, positionals } = parseVerb(
    'kill',
    rest,
    { all: { type: 'boolean', short: 'a' } },
    { required: ['container-id'], optional: ['signal'] },
  );
  const signal = parseSignal(positionals[1] ?? 'SIGTERM');
  const found = await readState(resolve(global.root), positionals[0] ?? '');
  if (values['all']) {
    for (const pid of pidsIn(Object.values(found.cgroupPaths).flatMap(cgroupFoldersBelow)))
      signalIfThere(pid, signal);
    return;
  }
  if (found.status === 'stopped') throw new EngineError('not_found', 'container not running');
  const pidfd = native.pidfdOpen(found.pid);
  try {
    native.pidfdSendSignal(pidfd, signal);
  } finally {
    native.close(pidfd);
  }
  // On version 1 a frozen process dies only when it is thawed.
  if (signal === constants.signals.SIGKILL && found.status === 'paused')
    await setFrozen(found.cgroupPaths, false);
};

/** It may have gone meanwhile. */
const signalIfThere = (pid: number, signal: number): void => {
  try {
    process.kill(pid, signal);
  } catch {
    return;
  }
};
