/** The lab speaks in the trace too (a client that it started, a daemon that died); its events are numbered like all others. */
import type { EventBase } from '../protocol/trace/event.ts';

let spoken = 0;

export const labEmitter = (): EventBase['emitter'] => ({
  actor: 'lab',
  pid: process.pid,
  n: spoken++,
});
