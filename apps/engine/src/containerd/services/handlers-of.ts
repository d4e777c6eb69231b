/** The handlers that a service of the API wants. */
import type { GenService } from '@bufbuild/protobuf/codegenv2';
import type { Handlers } from '../../transport/service.ts';

export type HandlersOf<S> = S extends GenService<infer M> ? Handlers<M> : never;
