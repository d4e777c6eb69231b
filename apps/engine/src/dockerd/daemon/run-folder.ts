/** Where the FIFOs of a container's processes are, and the stdio of its first one. */
import { join } from 'node:path';
import { ContainerRun } from '../container/container-run.ts';
import type { Container } from '../container/container.ts';
import type { Daemon } from './daemon.ts';
import { outputTrace } from './output-trace.ts';

export const fifoDirectory = (daemon: Daemon, id: string): string =>
  join(daemon.options.execRoot, 'containers', id);

export const openRun = (daemon: Daemon, container: Container): ContainerRun =>
  new ContainerRun({
    container,
    fifoDirectory: fifoDirectory(daemon, container.id),
    native: daemon.native,
    onOutput: outputTrace(daemon.tracer, {
      containerId: container.id,
      isTerminal: container.record.config.Tty,
      context: () => container.record.startedIn,
    }),
  });
