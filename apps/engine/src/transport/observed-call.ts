/**
 * Calls of a client that knows nothing of our traces, such as `ctr`: the server tells the client's part as well,
 * from what the kernel says of the process at the other end. One command is one trace; of a program that lives long
 * each call that does something is a trace of its own.
 */
import { toBinary, type DescMethod, type Message } from '@bufbuild/protobuf';
import { responseId } from '../protocol/trace/event-id.ts';
import { newSpanId, newTraceId } from '../tracing/context.ts';
import type { Tracer } from '../tracing/tracer.ts';
import type { ClientProcess, ClientProcesses } from './client-processes.ts';
import { observedAnswerLevelOf, observedLevelOf } from './rpc-level.ts';
import { ClientCall, tellMessage, type Peer } from './rpc-trace.ts';

export interface Observing {
  readonly tracer: Tracer;
  readonly clients: ClientProcesses;
  readonly client: ClientProcess;
  readonly method: DescMethod;
  readonly arrivedAt: bigint;
  readonly source: string | undefined;
}

/** The story of a client: request follows answer follows request. */
interface Chain {
  lastCause: string | null;
}

export class ObservedCall {
  readonly #call: ClientCall;
  readonly #method: DescMethod;
  readonly #peer: Peer;
  readonly #spanId: string;
  readonly #chain: Chain;
  #isRequested = false;

  constructor({ tracer, clients, client, method, arrivedAt, source }: Observing) {
    const command = clients.commandOf(client);
    const traceId = command?.context.traceId ?? newTraceId();
    this.#chain = command ?? { lastCause: clients.tellExec(client, traceId) };
    this.#method = method;
    this.#spanId = newSpanId();
    this.#peer = { actor: tracer.actor, pid: process.pid };
    const level = observedLevelOf(method);
    this.#call = new ClientCall(
      tracer,
      {
        protocol: 'grpc',
        method,
        peer: this.#peer,
        options: { level, ...(source ? { source } : {}) },
      },
      {
        client: { actor: clients.actor, pid: client.pid },
        context: { traceId, spanId: this.#spanId },
        parent: command?.context ?? null,
        cause: this.#chain.lastCause,
        arrivedAt,
        answerLevel: observedAnswerLevelOf(method),
      },
    );
  }

  get traceparent(): string {
    return this.#call.traceparent;
  }

  /** Of a stream of requests the first is told: it says what is asked for. */
  requested(message: Message): void {
    if (this.#isRequested) return;
    this.#isRequested = true;
    const { input } = this.#method;
    this.#call.requested(this.#peer, tellMessage(input, message, toBinary(input, message)));
  }

  /** Of a stream of answers the last one is told; `undefined` when there was none. */
  answered(message: Message | undefined, serverSpanId: string | undefined): void {
    const { output } = this.#method;
    const content = message
      ? tellMessage(output, message, toBinary(output, message))
      : { body: null, raw: null };
    this.#call.answered(content, serverSpanId);
    this.#chain.lastCause = responseId(this.#spanId);
  }

  failed(error: unknown, code: number, serverSpanId: string | undefined): void {
    this.#call.failed(error, code, serverSpanId);
    this.#chain.lastCause = responseId(this.#spanId);
  }

  abandoned(): void {
    this.#call.abandoned();
  }
}

/** Undefined for calls that are nobody's story: the questions that a program which lives long asks again and again. */
export const observeCall = (observing: Observing): ObservedCall | undefined =>
  observing.clients.isCommand(observing.client) || observedLevelOf(observing.method) !== 'detail'
    ? new ObservedCall(observing)
    : undefined;
