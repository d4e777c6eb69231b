/**
 * `docker top`: the host's ps(1), cut down to the container's processes. The kernel knows no containers; who belongs to
 * one is written in its cgroup. Upstream: moby daemon/top_unix.go.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';

export interface ProcessTable {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}

const MAX_BYTES = 8 * 1024 * 1024;
/** Another column under this name would choose processes that are not the container's. */
const NAMED_PID = /(\w+)=\s*PID\b/g;

/** `psArgs` are words for ps(1); no shell reads them. */
export const top = async (
  daemon: Daemon,
  container: Container,
  psArgs: string,
): Promise<ProcessTable> => {
  const words = (psArgs.trim() || '-ef').split(/\s+/);
  for (const [renamed, column] of psArgs.matchAll(NAMED_PID)) {
    if (column?.toLowerCase() === 'pid') continue;
    throw new EngineError('invalid_argument', `specifying "${renamed}" is not allowed`);
  }
  await container.settled();
  if (!isRunning(container.state)) {
    throw new EngineError('conflict', `container ${container.id} is not running`);
  }
  if (container.state.status === 'restarting') {
    throw new EngineError(
      'conflict',
      `Container ${container.id} is restarting, wait until the container is running`,
    );
  }
  const pids = await daemon.measures.pids(container.id);
  // Some of ps's options cannot stand beside a list of pids: then all are asked for, and cut down here.
  const output = await ps([...words, `-q${pids.join(',')}`]).catch(() => ps(words));
  const table = parse(output, new Set(pids));
  daemon.events.emit(containerEvent(container, 'top'));
  return table;
};

const ps = async (args: readonly string[]): Promise<string> => {
  try {
    const { stdout } = await promisify(execFile)('ps', args, { maxBuffer: MAX_BYTES });
    return stdout;
  } catch (error) {
    if (Reflect.get(Object(error), 'code') === 'ENOENT') {
      throw new EngineError(
        'internal',
        'Error running ps: exec: "ps": executable file not found in $PATH (Debian: apt-get install procps)',
      );
    }
    const said = String(Reflect.get(Object(error), 'stderr') ?? '').trim();
    throw new EngineError('internal', `ps: ${said.split('\n')[0] || messageOf(error)}`, {
      cause: error,
    });
  }
};

export const parse = (output: string, pids: ReadonlySet<number>): ProcessTable => {
  const [head = '', ...lines] = output.split('\n').filter((line) => line !== '');
  const titles = head.split(/\s+/).filter(Boolean);
  const pidAt = titles.indexOf('PID');
  if (pidAt < 0) throw new EngineError('internal', "Couldn't find PID field in ps output");
  const processes: string[][] = [];
  for (const line of lines) {
    const fields = line.trim().split(/\s+/);
    if (!pids.has(Number(fields[pidAt]))) continue;
    // The last column is a command line, and has blanks.
    processes.push([
      ...fields.slice(0, titles.length - 1),
      fields.slice(titles.length - 1).join(' '),
    ]);
  }
  return { Titles: titles, Processes: processes };
};
