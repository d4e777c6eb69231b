/** A file with our pid in it; a second dockerd with the same file is turned away. Upstream: moby pkg/pidfile. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../protocol/errdefs.ts';

/** Null for a process that is gone, or dead and not yet reaped: after a SIGKILL that can take its parent a moment. */
const nameOf = (pid: number): string | null => {
  try {
    const [, name, state] =
      /^\d+ \((.*)\) (\w)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
    return state === 'Z' || state === 'X' ? null : (name ?? null);
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
