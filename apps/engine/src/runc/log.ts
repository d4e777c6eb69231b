/**
 * How runc tells its caller what goes on: an error is a line on stderr, and one in the file that the caller will read;
 * warnings and what `--debug` wants go to the file alone where there is one.
 * containerd takes the last line with "level":"error". Upstream: runc main.go (FatalWriter), logrus.
 */
import { appendFileSync } from 'node:fs';
import type { GlobalOptions } from './command-line.ts';

export type LogOptions = Pick<GlobalOptions, 'log' | 'logFormat'>;
type Level = 'error' | 'warning' | 'debug';

const line = (format: GlobalOptions['logFormat'], level: Level, message: string): string => {
  const time = new Date().toISOString();
  return format === 'json'
    ? `${JSON.stringify({ level, msg: message, time })}\n`
    : `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(message)}\n`;
};

const appendTo = (file: string, text: string): void => {
  try {
    appendFileSync(file, text);
  } catch (error) {
    process.stderr.write(line('text', 'error', `cannot write ${file}: ${String(error)}`));
  }
};

export const logError = (message: string, { log, logFormat }: LogOptions): void => {
  process.stderr.write(line('text', 'error', message));
  if (log !== null) appendTo(log, line(logFormat, 'error', message));
};

const logQuietly = (level: Level, message: string, { log, logFormat }: LogOptions): void => {
  const text = line(logFormat, level, message);
  if (log === null) process.stderr.write(text);
  else appendTo(log, text);
};

export const logWarning = (message: string, options: LogOptions): void =>
  logQuietly('warning', message, options);

export const logDebug = (message: string, options: LogOptions): void =>
  logQuietly('debug', message, options);
