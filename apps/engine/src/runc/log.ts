/**
 * How runc tells its caller what went wrong: a line on stderr, and one in the file that the caller will read.
 * containerd takes the last line with "level":"error". Upstream: runc main.go (FatalWriter), logrus.
 */
import { appendFileSync } from 'node:fs';
import type { GlobalOptions } from './command-line.ts';

const line = (format: GlobalOptions['logFormat'], message: string): string => {
  const time = new Date().toISOString();
  return format === 'json'
    ? `${JSON.stringify({ level: 'error', msg: message, time })}\n`
    : `time=${JSON.stringify(time)} level=error msg=${JSON.stringify(message)}\n`;
};

export const logError = (
  message: string,
  global: Pick<GlobalOptions, 'log' | 'logFormat'>,
): void => {
  process.stderr.write(line('text', message));
  if (global.log === null) return;
  try {
    appendFileSync(global.log, line(global.logFormat, message));
  } catch (error) {
    process.stderr.write(line('text', `cannot write ${global.log}: ${String(error)}`));
  }
};
