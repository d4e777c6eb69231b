/** How one call is answered on its HTTP/2 stream: headers, messages, and the status in trailers. */
import { create, fromBinary, toBinary, type DescMethod, type Message } from '@bufbuild/protobuf';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { EngineError } from '../protocol/errdefs.ts';
import { formatTraceparent } from '../tracing/context.ts';
import { encodeFrame } from './grpc-frame.ts';
import { encodeMessage, TRACERESPONSE_KEY } from './grpc-metadata.ts';
import { readMessages, writeFrame } from './grpc-stream.ts';
import type { ObservedCall } from './observed-call.ts';
import type { ServedCall } from './rpc-trace.ts';
import type { CallContext } from './service.ts';
import { OK } from './status-code.ts';

/** The handler of any method, after its types have done their work. */
export type AnyHandler = (input: unknown, call: CallContext) => unknown;

export interface Answering {
  readonly stream: ServerHttp2Stream;
  readonly method: DescMethod;
  readonly handler: AnyHandler;
  readonly call: CallContext;
  readonly served: ServedCall;
  /** Of a client that does not tell its own part. */
  readonly observed: ObservedCall | undefined;
}

export const traceresponse = (served: ServedCall): Record<string, string> =>
  served.span ? { [TRACERESPONSE_KEY]: formatTraceparent(served.span.context) } : {};

/** Aborted when the caller resets the stream or its deadline passes. */
export const callSignal = (stream: ServerHttp2Stream, timeoutMs: number | undefined) => {
  const controller = new AbortController();
  const onClose = () => controller.abort(new EngineError('cancelled', 'context canceled'));
  stream.once('close', onClose);
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => controller.abort(new EngineError('deadline', 'context deadline exceeded')),
          timeoutMs,
        );
  const settle = () => {
    clearTimeout(timer);
    stream.off('close', onClose);
  };
  return { signal: controller.signal, settle };
};

/** Rejects as soon as the caller is gone, whatever the handler is waiting for. */
const untilAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  if (signal.aborted) {
    work.catch(() => undefined);
    return Promise.reject(signal.reason as Error);
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
};

export const answer = async ({
  stream,
  method,
  handler,
  call,
  served,
  observed,
}: Answering): Promise<void> => {
  const messages = readMessages(stream, method.input);
  const requests = observed ? told(messages, observed) : messages;
  const streamsIn =
    method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming';
  const streamsOut =
    method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming';
  const input = streamsIn
    ? requests
    : await untilAborted(onlyMessage(requests, method), call.signal);
  // Read to its end, or the stream would never close.
  if (!streamsIn) stream.resume();
  // Encoded before the headers go out: a handler's mistake still becomes a status of its own.
  let last: Message | undefined;
  const encode = (output: unknown) => {
    last = create(method.output, output as Message);
    return encodeFrame(toBinary(method.output, last));
  };
  const end = () => {
    served.span?.end();
    observed?.answered(last, served.span?.context.spanId);
  };
  if (!streamsOut) {
    const frame = encode(await untilAborted(Promise.resolve(handler(input, call)), call.signal));
    startAnswer(stream, served);
    end();
    stream.end(frame);
    return;
  }
  startAnswer(stream, served);
  const iterator = (handler(input, call) as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const item = await untilAborted(iterator.next(), call.signal);
      if (item.done) break;
      await untilAborted(writeFrame(stream, encode(item.value)), call.signal);
    }
  } finally {
    // Not awaited: the generator may be in the middle of a wait that only `call.signal` ends.
    void iterator.return?.(undefined).catch(() => undefined);
  }
  end();
  stream.end();
};

async function* told(
  requests: AsyncIterable<Message>,
  observed: ObservedCall,
): AsyncGenerator<Message> {
  for await (const message of requests) {
    observed.requested(message);
    yield message;
  }
}

const onlyMessage = async (
  requests: AsyncIterable<Message>,
  method: DescMethod,
): Promise<Message> => {
  for await (const message of requests) return message;
  // Not even an empty message: Go's server treats it as one.
  return fromBinary(method.input, new Uint8Array());
};

/** Headers at once, the status later in the trailers. */
const startAnswer = (stream: ServerHttp2Stream, served: ServedCall): void => {
  if (stream.destroyed || stream.headersSent) return;
  stream.on('wantTrailers', () => {
    if (!stream.destroyed)
      stream.sendTrailers({ 'grpc-status': String(OK), ...traceresponse(served) });
  });
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
};

export const answerBare = (stream: ServerHttp2Stream, status: number): void => {
  if (stream.destroyed) return;
  stream.respond({ ':status': status }, { endStream: true });
  stream.close(constants.NGHTTP2_NO_ERROR);
};

export const answerStatus = (
  stream: ServerHttp2Stream,
  status: { readonly code: number; readonly message: string },
  extra: Record<string, string> = {},
): void => {
  if (stream.destroyed || stream.closed) return;
  const trailers = {
    'grpc-status': String(status.code),
    'grpc-message': encodeMessage(status.message),
    ...extra,
  };
  if (stream.headersSent) {
    stream.removeAllListeners('wantTrailers');
    stream.on('wantTrailers', () => {
      if (!stream.destroyed) stream.sendTrailers(trailers);
    });
    stream.end();
    return;
  }
  // "Trailers-only": one block of headers is the whole answer.
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', ...trailers },
    { endStream: true },
  );
  // What the caller still sends is not read any more.
  stream.resume();
};
