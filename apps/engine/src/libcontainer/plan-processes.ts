/**
 * The processes of a plan as events of the trace: runc comes and goes, init is born, changes its parent, becomes the
 * program. What the steps did is told beside this file, in plan-trace.ts.
 */
import type { ExitStatus } from '../../../../native/native.ts';
import type { Level } from '../protocol/trace/event.ts';
import { processId, spanStartedId } from '../protocol/trace/event-id.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import { namespaceAttributes } from './namespaces-of.ts';
import type { Plan } from './plan/step.ts';
import { readProcess } from './state-file.ts';

export interface PlanTraceOptions {
  readonly tracer: Tracer;
  readonly span: Span;
  readonly plan: Plan;
  readonly argv: readonly string[];
  readonly containerId: string;
  readonly programArgv?: readonly string[];
  readonly runcPid: number;
}

export class PlanProcesses {
  readonly #o: PlanTraceOptions;

  constructor(options: PlanTraceOptions) {
    this.#o = options;
  }

  /** `runc create` and `runc exec` bring a program to life; the other verbs only accompany it. */
  get #level(): Level {
    return ['create', 'exec'].includes(this.#o.argv[1] ?? '') ? 'step' : 'detail';
  }

  /** `mono`: taken before the fork, for runc takes its first steps before we know its pid. */
  runcForked(mono: bigint): void {
    const { tracer, span, runcPid, argv, containerId } = this.#o;
    tracer.emit({
      type: 'process',
      id: processId(runcPid, 'fork'),
      traceId: span.context.traceId,
      cause: spanStartedId(span.context.spanId),
      mono: mono.toString(),
      level: this.#level,
      source: __SOURCE__,
      change: 'fork',
      actor: 'runc',
      process: { pid: runcPid, ppid: process.pid, name: 'runc', argv, ...startTimeOf(runcPid) },
      containerId,
      attributes: { 'process.parent_pid': process.pid },
    });
  }

  runcExited(code: number, cause: string): void {
    const { tracer, span, runcPid, containerId } = this.#o;
    tracer.emit({
      type: 'process',
      id: processId(runcPid, 'exit'),
      traceId: span.context.traceId,
      cause,
      level: this.#level,
      source: __SOURCE__,
      change: 'exit',
      actor: 'runc',
      process: { pid: runcPid, ppid: process.pid, name: 'runc' },
      exit: { code },
      containerId,
      attributes: { 'process.exit.code': code },
    });
  }

  /** A hook outside of the container: the helper itself has become the program. */
  runcExecuted(path: string, cause: string, mono: bigint): void {
    const { tracer, span, runcPid, containerId } = this.#o;
    tracer.emit({
      type: 'process',
      id: processId(runcPid, 'exec'),
      traceId: span.context.traceId,
      cause,
      mono: mono.toString(),
      level: 'detail',
      source: __SOURCE__,
      change: 'exec',
      actor: 'runc',
      process: { pid: runcPid, ppid: process.pid, name: path },
      containerId,
      attributes: {},
    });
  }

  initForked(pid: number, cause: string, mono: bigint): void {
    const { tracer, span, runcPid, containerId } = this.#o;
    tracer.emit({
      type: 'process',
      id: processId(pid, 'fork'),
      traceId: span.context.traceId,
      cause,
      mono: mono.toString(),
      source: __SOURCE__,
      change: 'fork',
      actor: 'container',
      process: { pid, ppid: runcPid, name: 'runc:[init]', ...startTimeOf(pid) },
      containerId,
      attributes: { 'process.parent_pid': runcPid, ...namespaceAttributes(pid) },
    });
  }

  /** init came to its end before it could be parked. `status` is null when somebody else has collected it. */
  initFailed(pid: number, cause: string, status: ExitStatus | null): void {
    const { tracer, span, containerId } = this.#o;
    tracer.emit({
      type: 'process',
      id: processId(pid, 'exit'),
      traceId: span.context.traceId,
      cause,
      level: 'step',
      source: __SOURCE__,
      change: 'exit',
      actor: 'container',
      process: { pid, ppid: null, name: 'runc:[init]' },
      ...(status ? { exit: { code: status.code } } : {}),
      containerId,
      attributes: status ? { 'process.exit.code': status.code } : {},
    });
  }

  initReparented(pid: number): void {
    const { tracer, span, runcPid, containerId } = this.#o;
    const facts = readProcess(pid);
    if (!facts) return;
    tracer.emit({
      type: 'process',
      id: processId(pid, 'reparent'),
      traceId: span.context.traceId,
      cause: processId(runcPid, 'exit'),
      level: 'step',
      source: __SOURCE__,
      change: 'reparent',
      actor: 'container',
      process: { pid, ppid: facts.ppid, name: 'runc:[init]', startTime: facts.startTime },
      containerId,
      attributes: { 'process.parent_pid': facts.ppid, ...namespaceAttributes(pid) },
    });
  }

  initExecuted(pid: number, cause: string, mono: bigint): void {
    const { tracer, span, containerId, programArgv } = this.#o;
    const facts = readProcess(pid);
    const argv = programArgv ?? [];
    tracer.emit({
      type: 'process',
      id: processId(pid, 'exec'),
      traceId: span.context.traceId,
      cause,
      mono: mono.toString(),
      source: __SOURCE__,
      change: 'exec',
      actor: 'container',
      process: {
        pid,
        ppid: facts?.ppid ?? null,
        name: argv[0] ?? '',
        argv,
        ...(facts ? { startTime: facts.startTime } : {}),
      },
      containerId,
      attributes: namespaceAttributes(pid),
    });
  }
}

const startTimeOf = (pid: number): { readonly startTime?: string } => {
  const facts = readProcess(pid);
  return facts ? { startTime: facts.startTime } : {};
};
