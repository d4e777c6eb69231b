/**
 * What a lab leaves behind for the next one: which process is which daemon. A pid alone may be anybody's by now,
 * so the start time is kept too, and where there is none (the lab died too early) the command line must fit.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { argvOf, isAlive, processInfo } from '../process-info.ts';

export interface ProcessRecord {
  readonly pid: number;
  readonly startTime: string;
}

export const writeRecord = (path: string, record: ProcessRecord): void => {
  writeFileSync(path, `${JSON.stringify(record)}\n`, { mode: 0o600 });
};

export const removeRecord = (path: string): void => rmSync(path, { force: true });

const readText = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

const readRecord = (path: string): ProcessRecord | null => {
  try {
    const value: unknown = JSON.parse(readText(path) ?? 'null');
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('startTime' in value))
      return null;
    const { pid, startTime } = value;
    return typeof pid === 'number' && typeof startTime === 'string' ? { pid, startTime } : null;
  } catch {
    return null;
  }
};

/** The living process that the record, or else the daemon's own pidfile, speaks of. */
export const findLiving = (options: {
  readonly recordPath: string;
  readonly pidfile: string;
  /** A word that must stand in its command line, such as the path of its socket. */
  readonly mark: string;
}): ProcessRecord | null => {
  const record = readRecord(options.recordPath);
  if (record && isAlive(record.pid, record.startTime)) return record;
  const pid = Number(readText(options.pidfile)?.trim() ?? NaN);
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return null;
  const info = processInfo(pid);
  return info && argvOf(pid).some((word) => word.includes(options.mark))
    ? { pid, startTime: info.startTime }
    : null;
};
