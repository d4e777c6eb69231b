/** A file with our pid in it; a second dockerd with the same file is turned away. Upstream: moby pkg/pidfile. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../protocol/errdefs.ts';

const nameOf = (pid: number): string | null => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return null;
  }
};

/** Answers how to remove it. A file of a dead process, or of another program by now, is taken over. */
export const writePidfile = (path: string): (() => void) => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  let previous = NaN;
  try {
    previous = Number(readFileSync(path, 'utf8').trim());
  } catch {
    // None yet.
  }
  if (Number.isInteger(previous) && previous !== process.pid && nameOf(previous) === 'dockerd') {
    throw new EngineError(
      'conflict',
      `process with PID ${previous} is still running: it holds ${path}; stop it first or use another --pidfile`,
    );
  }
  writeFileSync(path, String(process.pid));
  return () => rmSync(path, { force: true });
};
