/**
 * Tells of a fault in every trace that it concerns: the signal, which of the container's processes lived on (as /proc
 * has it), and when all was well again. Nothing of it is hidden: the lab says that it was the lab.
 */
import type { Actor, TraceEvent } from '../../protocol/trace/event.ts';
import { processId, requestId, spanEndedId, spanStartedId } from '../../protocol/trace/event-id.ts';
import type { Fault } from '../../protocol/trace/fault.ts';
import { newSpanId } from '../../tracing/context.ts';
import { labEmitter } from '../lab-emitter.ts';
import type { ProcessRecord } from '../supervisor/process-record.ts';
import { look } from './targets.ts';

export interface FaultTraceOptions {
  readonly fault: Fault;
  readonly actor: Actor;
  readonly pid: number;
  readonly signal: 'SIGKILL' | 'SIGTERM';
  readonly traceIds: readonly string[];
  /** What is told of the learner's containers is told there alone. */
  readonly isOfLearner: (traceId: string) => boolean;
  /** The span to which everything in that trace belongs, as far as it is known. */
  readonly rootSpanOf: (traceId: string) => string | null;
  readonly accept: (event: TraceEvent) => void;
}

type Told<T extends TraceEvent> = T extends TraceEvent
  ? Omit<T, 'traceId' | 'emitter' | 'mono'>
  : never;

export class FaultTrace {
  readonly spanId = newSpanId();
  readonly eventId = requestId(this.spanId);
  readonly #options: FaultTraceOptions;
  #looks = 0;
  #cause = this.eventId;

  constructor(options: FaultTraceOptions) {
    this.#options = options;
    const { fault, actor, signal, traceIds, rootSpanOf } = options;
    for (const traceId of traceIds) {
      const root = rootSpanOf(traceId);
      this.#tellIn(traceId, {
        type: 'spanStarted',
        id: spanStartedId(this.spanId),
        cause: null,
        level: 'detail',
        source: __SOURCE__,
        spanId: this.spanId,
        parentSpanId: root,
        name: `${signal} → ${actor}`,
        kind: 'client',
        attributes: { 'engineroom.fault': fault, 'engineroom.signal': signal },
      });
    }
  }

  /** Precondition: told before the signal is sent, so that what follows from it is later. */
  signal(): void {
    this.#send(this.eventId, this.#options.signal, 'chapter');
  }

  /** dockerd is asked to read its configuration again, before the fault itself. */
  reload(liveRestore: boolean): void {
    this.#send(`${this.spanId}/reload`, 'SIGHUP', 'step', { 'live-restore': liveRestore });
  }

  /** Who is not our child is seen to be gone, and nobody tells us its exit code. */
  gone(actor: Actor, { pid, startTime }: ProcessRecord, containerId: string): void {
    this.#cause = processId(pid, 'exit');
    this.#tell({
      type: 'process',
      id: this.#cause,
      cause: this.eventId,
      level: 'chapter',
      source: __SOURCE__,
      change: 'exit',
      actor,
      process: { pid, ppid: null, name: actor, startTime },
      containerId,
      attributes: {},
    });
  }

  /** What /proc says of a process that was there before the signal. */
  look(actor: Actor, record: ProcessRecord, containerId?: string): void {
    const { isThere, ppid } = look(record);
    this.#looks += 1;
    const traceIds =
      containerId === undefined
        ? this.#options.traceIds
        : this.#options.traceIds.filter(this.#options.isOfLearner);
    const event: Told<TraceEvent> = {
      type: 'spanEvent',
      id: `${this.spanId}/look/${this.#looks}`,
      cause: this.#cause,
      level: 'step',
      source: __SOURCE__,
      spanId: this.spanId,
      name: isThere ? 'process lives on' : 'process is gone',
      attributes: {
        'engineroom.process.actor': actor,
        'process.pid': record.pid,
        'engineroom.process.start_time': record.startTime,
        ...(containerId === undefined ? {} : { 'container.id': containerId }),
        ...(ppid === null ? {} : { 'process.parent_pid': ppid }),
      },
    };
    for (const traceId of traceIds) this.#tellIn(traceId, event);
  }

  /** What follows is because of this event, as far as the lab can tell. */
  because(eventId: string): void {
    this.#cause = eventId;
  }

  end(problem: string | null): void {
    this.#tell({
      type: 'spanEnded',
      id: spanEndedId(this.spanId),
      cause: this.#cause,
      level: 'detail',
      spanId: this.spanId,
      status: problem === null ? { code: 'ok' } : { code: 'error', message: problem },
      attributes: {},
    });
  }

  #send(id: string, summary: string, level: 'chapter' | 'step', body: unknown = null): void {
    const { actor, pid } = this.#options;
    this.#tell({
      type: 'message',
      id,
      cause: spanStartedId(this.spanId),
      level,
      source: __SOURCE__,
      spanId: this.spanId,
      protocol: 'signal',
      direction: 'event',
      from: { actor: 'lab', pid: process.pid },
      to: { actor, pid },
      summary,
      body,
      raw: null,
    });
  }

  #tell(event: Told<TraceEvent>): void {
    for (const traceId of this.#options.traceIds) this.#tellIn(traceId, event);
  }

  #tellIn(traceId: string, event: Told<TraceEvent>): void {
    const mono = process.hrtime.bigint().toString();
    // The parts of a union are put together again here, which TypeScript cannot follow.
    this.#options.accept({ ...event, traceId, mono, emitter: labEmitter() } as TraceEvent);
  }
}
