/** Names and numbers of signals, as `--signal` and `--stop-signal` take them. See signal(7). */
import { constants } from 'node:os';
import { EngineError } from '../../protocol/errdefs.ts';

const SIGRTMIN = 34;
const SIGRTMAX = 64;
const NUMBERS: Readonly<Record<string, number>> = constants.signals;

/** `SIGTERM`, `term`, `15`, `RTMIN+3`. */
export const signalNumber = (given: string): number => {
  if (/^\d+$/.test(given)) {
    const number = Number(given);
    if (number >= 1 && number <= SIGRTMAX) return number;
  }
  const name = given.toUpperCase().replace(/^SIG/, '');
  const number = NUMBERS[`SIG${name}`];
  if (number !== undefined) return number;
  const [, base, distance] = /^RT(MIN|MAX)(?:[+-](\d+))?$/.exec(name) ?? [];
  if (base === 'MIN' && Number(distance ?? 0) <= SIGRTMAX - SIGRTMIN) {
    return SIGRTMIN + Number(distance ?? 0);
  }
  if (base === 'MAX' && Number(distance ?? 0) <= SIGRTMAX - SIGRTMIN) {
    return SIGRTMAX - Number(distance ?? 0);
  }
  throw new EngineError('invalid_argument', `Invalid signal: ${given}`);
};
