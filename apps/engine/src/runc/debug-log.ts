/**
 * `runc --debug`: the trace as lines of the log, whether or not a lab listens. Each system call of the plan is one line,
 * with its result; the words that upstream's users look for stand where the same thing happens here.
 * Upstream: runc libcontainer/nsenter/nsexec.c, init_linux.go, standard_init_linux.go, setns_init_linux.go.
 */
import type { TraceEvent } from '../protocol/trace/event.ts';
import type { Exporter } from '../tracing/exporter.ts';
import { type LogOptions, logDebug } from './log.ts';

const lineOf = (event: TraceEvent, verb: string): string | null => {
  if (event.type === 'process') {
    const { pid } = event.process;
    if (event.actor === 'runc' && event.change === 'fork')
      return `nsexec container setup: process ${pid} follows the plan`;
    if (event.actor === 'container' && event.change === 'fork')
      return `child process in init(): process ${pid}`;
    if (event.actor === 'container' && event.change === 'reparent')
      return `init: closing the pipe to signal completion: process ${pid} waits, runc has left`;
    if (event.actor === 'container' && event.change === 'exec' && verb === 'exec')
      return `setns_init: about to exec: process ${pid} is ${event.process.name} now`;
    return `${event.process.name}[${pid}]: ${event.change}`;
  }
  if (event.type !== 'syscall') return null;
  const { caller, detail, result, errno } = event;
  return `${caller.actor}[${caller.pid}]: ${detail} = ${result}${errno === null ? '' : ` ${errno}`}`;
};

export const withDebugLog = (exporter: Exporter, verb: string, options: LogOptions): Exporter => ({
  export: (event) => {
    const line = lineOf(event, verb);
    if (line !== null) logDebug(line, options);
    exporter.export(event);
  },
  flush: () => exporter.flush(),
  close: () => exporter.close(),
});
