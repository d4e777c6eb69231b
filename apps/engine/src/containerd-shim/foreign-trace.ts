/**
 * The trace of a runtime that tells nothing: what can be seen from outside, and marked as such by the attribute
 * `engineroom.topology.component`. No system call is in it, for none was told.
 */
import { namespaceAttributes } from '../libcontainer/namespaces-of.ts';
import { readProcess } from '../libcontainer/state-file.ts';
import type { Attributes, ProcessEvent } from '../protocol/trace/event.ts';
import { processId, spanStartedId } from '../protocol/trace/event-id.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';

export class ForeignTrace {
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #subject: {
    readonly binary: string;
    readonly containerId: string;
    readonly verb: string;
  };
  #runtimePid = 0;
  #forkedAt = 0n;

  constructor(
    tracer: Tracer,
    span: Span,
    subject: { readonly binary: string; readonly containerId: string; readonly verb: string },
  ) {
    this.#tracer = tracer;
    this.#span = span;
    this.#subject = subject;
  }

  forked(pid: number, argv: readonly string[]): void {
    this.#runtimePid = pid;
    this.#forkedAt = process.hrtime.bigint();
    this.#tell('fork', {
      actor: 'runc',
      process: { pid, ppid: process.pid, name: 'runc', argv },
      cause: spanStartedId(this.#span.context.spanId),
    });
  }

  exited(pid: number, code: number): void {
    this.#tell('exit', {
      actor: 'runc',
      process: { pid, ppid: process.pid, name: 'runc' },
      cause: processId(pid, 'fork'),
      exit: { code },
    });
  }

  /**
   * This and the next are seen when the verb is over. They happened some time after it began, and whoever was born may
   * have gone since; who its parent was in between nobody has seen.
   */
  containerBorn(pid: number): void {
    this.#tell('fork', {
      mono: (this.#forkedAt + 1n).toString(),
      actor: 'container',
      process: { pid, ppid: readProcess(pid)?.ppid ?? null, name: 'runc:[init]' },
      cause: processId(this.#runtimePid, 'fork'),
      attributes: namespaceAttributes(pid),
    });
  }

  programRuns(pid: number, argv: readonly string[]): void {
    this.#tell('exec', {
      mono: (this.#forkedAt + 2n).toString(),
      actor: 'container',
      process: { pid, ppid: readProcess(pid)?.ppid ?? null, name: argv[0] ?? '', argv },
      cause: processId(this.#runtimePid, 'fork'),
      attributes: namespaceAttributes(pid),
    });
  }

  #tell(
    change: ProcessEvent['change'],
    {
      attributes = {},
      ...fields
    }: Pick<ProcessEvent, 'actor' | 'process'> & {
      readonly cause: string;
      readonly mono?: string;
      readonly attributes?: Attributes;
      readonly exit?: { readonly code: number };
    },
  ): void {
    const { binary, containerId, verb } = this.#subject;
    this.#tracer.emit({
      type: 'process',
      id: processId(fields.process.pid, change),
      traceId: this.#span.context.traceId,
      level: verb === 'create' || verb === 'exec' ? 'step' : 'detail',
      source: __SOURCE__,
      change,
      containerId,
      attributes: { ...attributes, 'engineroom.topology.component': binary },
      ...fields,
    });
  }
}
