/** How a process ended, as a shell would say it. */
import { constants } from 'node:os';

export const shellExit = (exit: {
  readonly code: number | null;
  readonly signal: string | null;
}): { code: number; signal?: string } => {
  if (exit.signal === null) return { code: exit.code ?? -1 };
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return { code: 128 + (numbers[exit.signal] ?? 0), signal: exit.signal };
};
