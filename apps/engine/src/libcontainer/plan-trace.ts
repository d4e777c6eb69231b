/**
 * Step records → events of the trace. The plan with its results is the trace of runc: nothing is told that did not run.
 */
import type { ExitStatus } from '../../../../native/native.ts';
import type { Level, SyscallEvent } from '../protocol/trace/event.ts';
import { processId, spanStartedId, syscallId } from '../protocol/trace/event-id.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import { errnoName } from './plan/errno.ts';
import { namespaceAttributes } from './namespaces-of.ts';
import type { Plan, Step, StepRecord } from './plan/step.ts';
import { readProcess } from './state-file.ts';

/** The step at which a plan ended. */
export interface Failure {
  readonly step: Step;
  readonly record: StepRecord;
  /** The step itself went well; then the process was killed. */
  readonly wasKilled?: boolean;
}

export interface PlanTraceOptions {
  readonly tracer: Tracer;
  readonly span: Span;
  readonly plan: Plan;
  readonly argv: readonly string[];
  readonly containerId: string;
  readonly programArgv?: readonly string[];
  readonly runcPid: number;
}

/** Most folders of PATH do not have the program. */
const NOT_HERE = 'not at this place: the next folder of PATH is tried';

export class PlanTrace {
  readonly #o: PlanTraceOptions;
  #initPid: number | null = null;
  #failure: Failure | null = null;
  /** The last execve that failed, also when it was passed over. */
  #failedExec: Failure | null = null;
  #lastOf: { parent: StepRecord | null; init: StepRecord | null } = { parent: null, init: null };
  /** Records of init that were read before the one of the clone3 that gave it its pid. */
  #early: StepRecord[] = [];

  constructor(options: PlanTraceOptions) {
    this.#o = options;
  }

  /** `runc create` and `runc exec` bring a program to life; the other verbs only accompany it. */
  get #level(): Level {
    return ['create', 'exec'].includes(this.#o.argv[1] ?? '') ? 'step' : 'detail';
  }

  /** The last step of runc itself went well. */
  get isParentThrough(): boolean {
    const last = this.#lastOf.parent;
    return last?.index === this.#o.plan.parent.length - 1 && this.#failure === null;
  }

  get initPid(): number | null {
    return this.#initPid;
  }

  /** init's, if both have failed: runc only noticed that init was gone. */
  get failure(): Failure | null {
    return this.#failure;
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

  record(record: StepRecord): void {
    if (record.stage === 'init' && this.#initPid === null) {
      this.#early.push(record);
      return;
    }
    this.#emitSyscall(record);
    if (record.stage === 'init' || record.errno !== 0) return;
    const step = this.#o.plan.parent[record.index];
    if (step?.kind !== 'syscall' || !step.forksInit) return;
    this.#initPid = Number(record.result);
    this.#initForked(record);
    for (const early of this.#early.splice(0)) this.record(early);
  }

  runcExited(code: number): void {
    const { tracer, span, runcPid, containerId } = this.#o;
    tracer.emit({
      type: 'process',
      id: processId(runcPid, 'exit'),
      traceId: span.context.traceId,
      cause: this.#lastOf.parent ? this.#idOf(this.#lastOf.parent) : processId(runcPid, 'fork'),
      level: this.#level,
      source: __SOURCE__,
      change: 'exit',
      actor: 'runc',
      process: { pid: runcPid, ppid: process.pid, name: 'runc' },
      exit: { code },
      containerId,
      attributes: { 'process.exit.code': code },
    });
    if (code === 0 && this.#initPid !== null) this.#initReparented(this.#initPid);
  }

  /** A successful execve leaves no record: the pipe closes instead. So its event is told here. */
  recordsEnded(): void {
    if (this.#o.plan.init.length === 0) {
      this.#runcExecuted();
      return;
    }
    const last = this.#lastOf.init;
    if (this.#failure || !last || this.#initPid === null) return;
    const index = this.#stepThatExecuted(last);
    if (index === null) {
      this.#failure = this.#failedExec ?? this.#killedAt(last);
      return;
    }
    const now = process.hrtime.bigint();
    const record: StepRecord = {
      ...last,
      index,
      beginMono: last.endMono,
      endMono: now,
      result: 0n,
      errno: 0,
    };
    this.#emitSyscall(record);
    this.#initExecuted(this.#initPid, record);
  }

  /** A hook outside of the container: the helper itself has become the program. */
  #runcExecuted(): void {
    const { tracer, span, plan, runcPid, containerId } = this.#o;
    const last = this.#lastOf.parent;
    const index = plan.parent.length - 1;
    const step = plan.parent[index];
    if (this.#failure || !last || last.index !== index - 1 || step?.name !== 'execve') return;
    const { endMono } = last;
    const record: StepRecord = {
      ...last,
      index,
      beginMono: endMono,
      endMono,
      result: 0n,
      errno: 0,
    };
    this.#emitSyscall(record);
    const path = String(step.attributes?.['process.executable.path'] ?? '');
    tracer.emit({
      type: 'process',
      id: processId(runcPid, 'exec'),
      traceId: span.context.traceId,
      cause: this.#idOf(record),
      mono: endMono.toString(),
      level: 'detail',
      source: __SOURCE__,
      change: 'exec',
      actor: 'runc',
      process: { pid: runcPid, ppid: process.pid, name: path },
      containerId,
      attributes: {},
    });
  }

  /** The execve after the last recorded step, if nothing but skipped steps stands between them. */
  #stepThatExecuted(last: StepRecord): number | null {
    const steps = this.#o.plan.init;
    const next = last.index + 1;
    const step = steps[next];
    return step?.name === 'execve' && step.purpose === 'execve' ? next : null;
  }

  /** No failing step and no program: somebody has killed init. */
  #killedAt(last: StepRecord): Failure | null {
    const step = this.#o.plan.init[last.index];
    return step ? { step, record: last, wasKilled: true } : null;
  }

  #initForked(record: StepRecord): void {
    const { tracer, span, runcPid, containerId } = this.#o;
    const pid = Number(record.result);
    tracer.emit({
      type: 'process',
      id: processId(pid, 'fork'),
      traceId: span.context.traceId,
      cause: this.#idOf(record),
      mono: record.endMono.toString(),
      source: __SOURCE__,
      change: 'fork',
      actor: 'container',
      process: { pid, ppid: runcPid, name: 'runc:[init]', ...startTimeOf(pid) },
      containerId,
      attributes: { 'process.parent_pid': runcPid, ...namespaceAttributes(pid) },
    });
  }

  /** init came to its end before it could be parked. `status` is null when somebody else has collected it. */
  initFailed(status: ExitStatus | null): void {
    const { tracer, span, containerId } = this.#o;
    const pid = this.#initPid;
    if (pid === null) return;
    const last = this.#lastOf.init;
    tracer.emit({
      type: 'process',
      id: processId(pid, 'exit'),
      traceId: span.context.traceId,
      cause: last ? this.#idOf(last) : processId(pid, 'fork'),
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

  #initReparented(pid: number): void {
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

  #initExecuted(pid: number, record: StepRecord): void {
    const { tracer, span, containerId, programArgv } = this.#o;
    const facts = readProcess(pid);
    const argv = programArgv ?? [];
    tracer.emit({
      type: 'process',
      id: processId(pid, 'exec'),
      traceId: span.context.traceId,
      cause: this.#idOf(record),
      // When it ended is not known exactly; when the pipe closed may be after the program's first output.
      mono: record.beginMono.toString(),
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

  #emitSyscall(record: StepRecord): void {
    const { tracer, span, plan, runcPid } = this.#o;
    const step = plan[record.stage][record.index];
    if (!step) return;
    const ignored = record.errno !== 0 && (step.ignore ?? []).includes(record.errno);
    if (record.errno !== 0 && !ignored && (this.#failure === null || record.stage === 'init')) {
      this.#failure = { step, record };
    }
    if (record.errno !== 0 && step.purpose === 'execve') this.#failedExec = { step, record };
    const isPassedOver = ignored && step.name === 'execve';
    const event = {
      type: 'syscall',
      id: this.#idOf(record),
      traceId: span.context.traceId,
      cause: this.#causeOf(record),
      mono: record.beginMono.toString(),
      // Looking in vain along $PATH is no chapter of the story; the execve that works is.
      level: ignored ? 'detail' : step.level,
      source: step.source,
      spanId: span.context.spanId,
      caller:
        record.stage === 'parent'
          ? { actor: 'runc', pid: runcPid }
          : { actor: 'container', pid: this.#initPid ?? 0 },
      name: step.name,
      detail: step.detail,
      title: isPassedOver ? NOT_HERE : step.title,
      object: step.object,
      endMono: record.endMono.toString(),
      result: Number(record.result),
      errno: record.errno === 0 ? null : errnoName(record.errno),
      ignored,
      reference: step.reference,
      attributes: {
        ...step.attributes,
        'engineroom.plan.stage': record.stage,
        'engineroom.plan.index': record.index,
      },
    } satisfies Omit<SyscallEvent, 'emitter'>;
    tracer.emit(event);
    this.#lastOf[record.stage] = record;
  }

  #idOf(record: StepRecord): string {
    const place =
      record.stage === 'parent' ? record.index : this.#o.plan.parent.length + record.index;
    return syscallId(this.#o.span.context.spanId, place);
  }

  /** Each step follows from the one before it; the first of init from the clone3. */
  #causeOf(record: StepRecord): string {
    const previous = this.#lastOf[record.stage];
    if (previous) return this.#idOf(previous);
    if (record.stage === 'parent') return processId(this.#o.runcPid, 'fork');
    return this.#initPid === null
      ? spanStartedId(this.#o.span.context.spanId)
      : processId(this.#initPid, 'fork');
  }
}

const startTimeOf = (pid: number): { readonly startTime?: string } => {
  const facts = readProcess(pid);
  return facts ? { startTime: facts.startTime } : {};
};
