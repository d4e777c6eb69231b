/**
 * What is said on stdin and stdout of the `start` action and the `-info` flag. Each generation of containerd has its way:
 *
 *   1.6         options (an Any) on stdin, the bare address on stdout
 *   1.7 to 2.2  the same, and MAX_SHIM_VERSION in the environment: JSON on stdout
 *   2.3         BootstrapParams on stdin, BootstrapResult on stdout
 *
 * Upstream: containerd pkg/shim/shim.go, compat.go.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { AnySchema, type Any } from '@bufbuild/protobuf/wkt';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import {
  BootstrapParamsSchema,
  BootstrapResultSchema,
  type BootstrapParams,
} from '../protocol/gen/task/bootstrap_pb.ts';
import { RuntimeInfoSchema } from '../protocol/gen/task/runtime-info_pb.ts';
import type { BootstrapAnswer } from '../protocol/task/claim.ts';
import type { ShimIdentity } from './identity.ts';

const INPUT_LIMIT_BYTES = 10 * 1024 * 1024;

export const readInput = async (
  input: AsyncIterable<Buffer> & { readonly isTTY?: boolean },
): Promise<Uint8Array> => {
  if (input.isTTY) return new Uint8Array();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    size += chunk.length;
    if (size > INPUT_LIMIT_BYTES)
      throw new EngineError('invalid_argument', 'failed to read stdin: too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** Null when it is not of this generation: then it is an Any, whose first field is no id of ours. */
export const parseParams = (
  input: Uint8Array,
  { id, namespace }: Pick<ShimIdentity, 'id' | 'namespace'>,
): BootstrapParams | null => {
  if (input.length === 0) return null;
  try {
    const params = fromBinary(BootstrapParamsSchema, input);
    return params.instanceId === id && params.namespace === namespace ? params : null;
  } catch {
    return null;
  }
};

export const bootstrapAnswer = (
  address: string,
  params: BootstrapParams | null,
  environment: NodeJS.ProcessEnv,
): string | Uint8Array => {
  const protocol = 'ttrpc';
  if (params)
    return toBinary(
      BootstrapResultSchema,
      create(BootstrapResultSchema, { version: 3, address, protocol }),
    );
  const highest = Number(environment['MAX_SHIM_VERSION'] ?? 0);
  if (!(highest >= 2)) return address;
  const answer: BootstrapAnswer = { version: Math.min(highest, 3), address, protocol };
  return JSON.stringify(answer);
};

export const runtimeInfo = (
  input: Uint8Array,
  { name, version }: { readonly name: string; readonly version: string },
): Uint8Array => {
  const options = input.length === 0 ? {} : { options: optionsIn(input) };
  return toBinary(
    RuntimeInfoSchema,
    create(RuntimeInfoSchema, { name, version: { version }, ...options }),
  );
};

const optionsIn = (input: Uint8Array): Any => {
  try {
    return fromBinary(AnySchema, input);
  } catch (error) {
    throw new EngineError(
      'invalid_argument',
      `failed to read runtime options (*options.Options): ${messageOf(error)}`,
    );
  }
};
