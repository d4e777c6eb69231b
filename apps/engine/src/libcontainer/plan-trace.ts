/**
 * Step records → events of the trace. The plan with its results is the trace of runc: nothing is told that did not run.
 */
import type { ExitStatus } from '../../../../native/native.ts';
import type { SyscallEvent } from '../protocol/trace/event.ts';
import { processId, spanStartedId, syscallId } from '../protocol/trace/event-id.ts';
import { errnoName } from './plan/errno.ts';
import { PlanProcesses, type PlanTraceOptions } from './plan-processes.ts';
import type { Step, StepRecord } from './plan/step.ts';

/** The step at which a plan ended. */
export interface Failure {
  readonly step: Step;
  readonly record: StepRecord;
  /** The step itself went well; then the process was killed. */
  readonly wasKilled?: boolean;
}

/** Most folders of PATH do not have the program. */
const NOT_HERE = 'not at this place: the next folder of PATH is tried';

export class PlanTrace {
  readonly #o: PlanTraceOptions;
  readonly #processes: PlanProcesses;
  #initPid: number | null = null;
  #failure: Failure | null = null;
  #isAnyPassedOver = false;
  /** The last execve that failed, also when it was passed over. */
  #failedExec: Failure | null = null;
  #lastOf: { parent: StepRecord | null; init: StepRecord | null } = { parent: null, init: null };
  /** Records of init that were read before the one of the clone3 that gave it its pid. */
  #early: StepRecord[] = [];

  constructor(options: PlanTraceOptions) {
    this.#o = options;
    this.#processes = new PlanProcesses(options);
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

  /** Each step went well, also those that may fail. */
  get isFlawless(): boolean {
    return this.isParentThrough && !this.#isAnyPassedOver;
  }

  /** `mono`: taken before the fork, for runc takes its first steps before we know its pid. */
  runcForked(mono: bigint): void {
    this.#processes.runcForked(mono);
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
    this.#processes.initForked(this.#initPid, this.#idOf(record), record.endMono);
    for (const early of this.#early.splice(0)) this.record(early);
  }

  runcExited(code: number): void {
    const last = this.#lastOf.parent;
    this.#processes.runcExited(code, last ? this.#idOf(last) : processId(this.#o.runcPid, 'fork'));
    if (code === 0 && this.#initPid !== null) this.#processes.initReparented(this.#initPid);
  }

  /** init came to its end before it could be parked. `status` is null when somebody else has collected it. */
  initFailed(status: ExitStatus | null): void {
    const pid = this.#initPid;
    if (pid === null) return;
    const last = this.#lastOf.init;
    this.#processes.initFailed(pid, last ? this.#idOf(last) : processId(pid, 'fork'), status);
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
    // When it ended is not known exactly; when the pipe closed may be after the program's first output.
    this.#processes.initExecuted(this.#initPid, this.#idOf(record), record.beginMono);
  }

  /** A hook outside of the container: the helper itself has become the program. */
  #runcExecuted(): void {
    const { plan } = this.#o;
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
    this.#processes.runcExecuted(path, this.#idOf(record), endMono);
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

  #emitSyscall(record: StepRecord): void {
    const { tracer, span, plan, runcPid } = this.#o;
    const step = plan[record.stage][record.index];
    if (!step) return;
    const ignored = record.errno !== 0 && (step.ignore ?? []).includes(record.errno);
    this.#isAnyPassedOver ||= ignored;
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
