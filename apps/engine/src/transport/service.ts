/**
 * What a service looks like to the code that implements it and to the code that calls it.
 * The same two shapes serve gRPC (containerd's API) and ttrpc (the shim's API); types follow from the .proto files.
 */
import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { GenService, GenServiceMethods } from '@bufbuild/protobuf/codegenv2';
import type { Level } from '../protocol/trace/event.ts';

/** What a handler learns about the call besides its message. */
export interface CallContext {
  /** containerd's namespace (`moby`), from metadata; empty when the caller sent none. */
  readonly namespace: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** Aborted when the caller is gone or the deadline has passed. */
  readonly signal: AbortSignal;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Where in the code the call is made; write `__SOURCE__`. */
  readonly source?: string;
  /** How much zoom shows the request, where the method alone does not decide it (an event that is forwarded). */
  readonly level?: Level;
  /** What the call is about, added to its line in the trace. */
  readonly about?: string;
}

type Methods = GenServiceMethods;

export type Handler<M extends DescMethod> = M extends DescMethodServerStreaming
  ? (
      request: MessageShape<M['input']>,
      call: CallContext,
    ) => AsyncIterable<MessageInitShape<M['output']>>
  : M extends DescMethodBiDiStreaming
    ? (
        requests: AsyncIterable<MessageShape<M['input']>>,
        call: CallContext,
      ) => AsyncIterable<MessageInitShape<M['output']>>
    : M extends DescMethodClientStreaming
      ? (
          requests: AsyncIterable<MessageShape<M['input']>>,
          call: CallContext,
        ) => Promise<MessageInitShape<M['output']>>
      : (
          request: MessageShape<M['input']>,
          call: CallContext,
        ) => Promise<MessageInitShape<M['output']>>;

/** Handlers by method; what is missing answers Unimplemented. */
export type Handlers<M extends Methods> = {
  [K in keyof M]?: Handler<GenService<M>['method'][K] & DescMethod>;
};

export type ClientMethod<M extends DescMethod> = M extends DescMethodServerStreaming
  ? (
      request: MessageInitShape<M['input']>,
      options?: CallOptions,
    ) => AsyncIterable<MessageShape<M['output']>>
  : M extends DescMethodBiDiStreaming
    ? (
        requests: AsyncIterable<MessageInitShape<M['input']>>,
        options?: CallOptions,
      ) => AsyncIterable<MessageShape<M['output']>>
    : M extends DescMethodClientStreaming
      ? (
          requests: AsyncIterable<MessageInitShape<M['input']>>,
          options?: CallOptions,
        ) => Promise<MessageShape<M['output']>>
      : (
          request: MessageInitShape<M['input']>,
          options?: CallOptions,
        ) => Promise<MessageShape<M['output']>>;

/** `client.create({ … })`; rejects with an EngineError whose kind comes from the status code. */
export type Client<M extends Methods> = {
  [K in keyof M]: ClientMethod<GenService<M>['method'][K] & DescMethod>;
};
