/** One call of a gRPC client: from the request's first byte to the status in the trailers. */
import type { DescMethod, Message } from '@bufbuild/protobuf';
import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { EngineError } from '../protocol/errdefs.ts';
import { parseTraceparent } from '../tracing/context.ts';
import type { CallBudget } from './call-budget.ts';
import { encodeFrame, FrameReader } from './grpc-frame.ts';
import { decodeMessage, TRACERESPONSE_KEY } from './grpc-metadata.ts';
import { decode, readFrames, writeFrame } from './grpc-stream.ts';
import { tellMessage, type ClientCall, type Peer } from './rpc-trace.ts';
import type { CallOptions } from './service.ts';
import { errorOf, OK, statusOf } from './status-code.ts';

export interface CallSetup {
  readonly method: DescMethod;
  readonly options: CallOptions;
  /** Undefined outside of any trace. */
  readonly call: ClientCall | undefined;
  /** The one request of a call whose answers stream, as the trace shows it. */
  readonly told?: ReturnType<typeof tellMessage>;
  readonly budget: CallBudget;
  open(): Promise<{ readonly stream: ClientHttp2Stream; readonly peer: Peer }>;
}

/** What the server said at the end, collected while it speaks. */
class Outcome {
  #headers: IncomingHttpHeaders = {};
  #trailers: IncomingHttpHeaders = {};
  #failure: Error | undefined;

  constructor(stream: ClientHttp2Stream) {
    stream.on('response', (headers) => (this.#headers = headers));
    stream.on('trailers', (trailers) => (this.#trailers = trailers));
    stream.on('error', (error) => (this.#failure ??= error));
  }

  get serverSpanId(): string | undefined {
    const header = this.#trailers[TRACERESPONSE_KEY] ?? this.#headers[TRACERESPONSE_KEY];
    return parseTraceparent(header === undefined ? undefined : String(header))?.spanId;
  }

  /** The error that the call ends with, or undefined when its status is OK. */
  error(abort: AbortSignal): EngineError | undefined {
    if (abort.aborted) return abort.reason as EngineError;
    const status = this.#trailers['grpc-status'] ?? this.#headers['grpc-status'];
    if (status !== undefined) {
      const code = Number(status);
      if (code === OK) return undefined;
      const message = this.#trailers['grpc-message'] ?? this.#headers['grpc-message'] ?? '';
      return errorOf(code, decodeMessage(String(message)));
    }
    const http = this.#headers[':status'];
    if (http !== undefined && Number(http) !== 200)
      return new EngineError(
        'unknown',
        `unexpected HTTP status code received from server: ${Number(http)}`,
      );
    return new EngineError(
      'unavailable',
      `error reading from server: ${this.#failure?.message ?? 'EOF'}`,
    );
  }
}

/** Joins the caller's signal and the deadline; its reason is always an EngineError. */
const abortOf = (options: CallOptions) => {
  const controller = new AbortController();
  const cancel = () => controller.abort(new EngineError('cancelled', 'context canceled'));
  if (options.signal?.aborted) cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => controller.abort(new EngineError('deadline', 'context deadline exceeded')),
          options.timeoutMs,
        );
  const settle = () => {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', cancel);
  };
  return { signal: controller.signal, settle };
};

export const startUnaryCall = async (
  setup: CallSetup,
  message: Message,
  bytes: Uint8Array,
): Promise<unknown> => {
  const { method, call } = setup;
  const abort = abortOf(setup.options);
  let serverSpanId: string | undefined;
  let leave = (): void => undefined;
  try {
    leave = await setup.budget.enter(bytes.length, abort.signal);
    const { stream, peer } = await setup.open();
    const outcome = new Outcome(stream);
    call?.requested(peer, tellMessage(method.input, message, bytes));
    const frame = await exchange(stream, encodeFrame(bytes), abort.signal);
    serverSpanId = outcome.serverSpanId;
    const error = outcome.error(abort.signal);
    if (error) throw error;
    if (frame instanceof Error) throw frame;
    if (!frame)
      throw new EngineError(
        'internal',
        `${method.name}: the server closed the stream without an answer`,
      );
    const response = decode(method.output, frame);
    call?.answered(tellMessage(method.output, response, frame), serverSpanId);
    return response;
  } catch (error) {
    call?.failed(error, statusOf(error).code, serverSpanId);
    throw error;
  } finally {
    leave();
    abort.settle();
  }
};

/** Writes the one request and resolves when the stream has closed, with the one answer or what was wrong with it. */
const exchange = (stream: ClientHttp2Stream, request: Buffer, abort: AbortSignal) =>
  new Promise<Uint8Array | Error | undefined>((resolve) => {
    const reader = new FrameReader();
    let answer: Uint8Array | Error | undefined;
    const onAbort = () => stream.close(constants.NGHTTP2_CANCEL);
    stream.on('data', (chunk: Buffer) => {
      if (answer) return;
      reader.push(chunk);
      try {
        answer = reader.next();
      } catch (error) {
        answer = error as Error;
        stream.close(constants.NGHTTP2_CANCEL);
      }
    });
    stream.once('close', () => {
      abort.removeEventListener('abort', onAbort);
      resolve(answer);
    });
    if (abort.aborted) onAbort();
    else abort.addEventListener('abort', onAbort, { once: true });
    stream.end(request);
  });

/** All other kinds of call: any number of messages each way. Leaving the iteration early cancels the call. */
export async function* startBidiCall(
  setup: CallSetup,
  requests: AsyncIterable<unknown>,
  encode: (message: unknown) => Uint8Array,
): AsyncGenerator<Message> {
  const { method, call } = setup;
  const abort = abortOf(setup.options);
  let stream: ClientHttp2Stream | undefined;
  let outcome: Outcome | undefined;
  let ended = false;
  try {
    const opened = await setup.open();
    stream = opened.stream;
    outcome = new Outcome(stream);
    call?.requested(opened.peer, setup.told ?? { body: null, raw: null });
    const onAbort = () => stream?.close(constants.NGHTTP2_CANCEL);
    if (abort.signal.aborted) onAbort();
    else abort.signal.addEventListener('abort', onAbort, { once: true });
    const sending = new Sending();
    // Not awaited: a server may end the call while there is still something to send.
    void sending.run(stream, requests, encode);
    let count = 0;
    try {
      for await (const frame of readFrames(stream)) {
        count += 1;
        yield decode(method.output, frame);
      }
    } catch (error) {
      throw (
        sending.failure ??
        (error instanceof EngineError ? error : (outcome.error(abort.signal) ?? error))
      );
    }
    // Trailers come before the end of the body is announced.
    const failure = sending.failure ?? outcome.error(abort.signal);
    if (failure) throw failure;
    ended = true;
    call?.answered({ body: { messages: count }, raw: null }, outcome.serverSpanId);
  } catch (error) {
    ended = true;
    call?.failed(error, statusOf(error).code, outcome?.serverSpanId);
    throw error;
  } finally {
    abort.settle();
    stream?.close(constants.NGHTTP2_CANCEL);
    if (!ended) call?.answered({ body: { cancelled: true }, raw: null });
  }
}

/** The requests of one call on their way out. A connection that breaks shows in how the call ends, not here. */
class Sending {
  /** What the caller's own iteration threw. */
  failure: Error | undefined;

  async run(
    stream: ClientHttp2Stream,
    requests: AsyncIterable<unknown>,
    encode: (message: unknown) => Uint8Array,
  ): Promise<void> {
    try {
      for await (const request of requests) {
        const frame = encodeFrame(encode(request));
        if (stream.destroyed || stream.closed) return;
        await writeFrame(stream, frame).catch(() => undefined);
      }
      stream.end();
    } catch (error) {
      this.failure = error as Error;
      stream.close(constants.NGHTTP2_CANCEL);
    }
  }
}
