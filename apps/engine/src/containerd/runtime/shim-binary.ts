/**
 * The shim as a command: `start` bootstraps one and says where it listens, `delete` cleans up after a dead one.
 *
 *   containerd-shim-… -namespace N -address A -publish-binary P -id I [-debug] start            cwd = bundle
 *   containerd-shim-… -namespace N -address A -publish-binary P -id I -bundle B [-debug] delete
 *
 * Upstream: containerd core/runtime/v2/binary.go, pkg/shim/util.go; docs: core/runtime/v2/README.md.
 */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { AnySchema, type Any } from '@bufbuild/protobuf/wkt';
import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { EngineError } from '../../protocol/errdefs.ts';
import { BootstrapResultSchema } from '../../protocol/gen/task/bootstrap_pb.ts';
import { DeleteResponseSchema, type DeleteResponse } from '../../protocol/gen/task/shim_pb.ts';
import { currentContext, formatTraceparent } from '../../tracing/context.ts';
import type { Bundle } from './bundle.ts';

/** What every shim of this containerd is told. */
export interface ShimSurroundings {
  readonly address: string;
  readonly ttrpcAddress: string;
  readonly publishBinary: string;
  readonly isDebug: boolean;
}

export interface Bootstrap {
  /** 2: containerd.task.v2.Task, 3: containerd.task.v3.Task. The messages are the same. */
  readonly version: number;
  readonly address: string;
  readonly protocol: string;
}

/** Whatever folder it lies in. */
export const OWN_SHIM = 'containerd-shim-engineroom-v2';
const START_TIMEOUT_MS = 30_000;
const DELETE_TIMEOUT_MS = 15_000;
const OUTPUT_LIMIT_BYTES = 1024 * 1024;

/** Node reads certificates at start when told to: 55 ms that a container would wait. */
const KEPT_VARIABLES = /^(PATH|HOME|LANG|LC_.*|TMPDIR|ENGINE_ROOM_.*)$/;

export const shimEnvironment = (
  { address, ttrpcAddress }: ShimSurroundings,
  namespace?: string,
): Record<string, string> => {
  const context = currentContext();
  return {
    ...Object.fromEntries(
      Object.entries(process.env).flatMap(([key, value]) =>
        KEPT_VARIABLES.test(key) && value !== undefined ? [[key, value]] : [],
      ),
    ),
    GOMAXPROCS: '2',
    MAX_SHIM_VERSION: '2',
    TTRPC_ADDRESS: ttrpcAddress,
    GRPC_ADDRESS: address,
    ...(namespace === undefined ? {} : { NAMESPACE: namespace }),
    ...(context ? { TRACEPARENT: formatTraceparent(context) } : {}),
  };
};

export class ShimBinary {
  readonly path: string;
  readonly #surroundings: ShimSurroundings;

  constructor(path: string, surroundings: ShimSurroundings) {
    this.path = path;
    this.#surroundings = surroundings;
  }

  /** Ours tells the trace of what it does; of others only that is told which can be seen from here. */
  get isOurs(): boolean {
    return basename(this.path) === OWN_SHIM;
  }

  /** Starts a shim that outlives us. `options` are the runtime's own, on its stdin. */
  async start(bundle: Bundle, options: Any | undefined): Promise<Bootstrap> {
    const { output } = await this.#run(bundle, {
      action: 'start',
      input: options ? toBinary(AnySchema, options) : new Uint8Array(),
      timeoutMs: START_TIMEOUT_MS,
    });
    return parseBootstrap(output);
  }

  /** Cleans up after a dead shim: kills what is left of the container, unmounts its root. */
  async delete(bundle: Bundle): Promise<DeleteResponse> {
    const { output } = await this.#run(bundle, {
      action: 'delete',
      input: new Uint8Array(),
      timeoutMs: DELETE_TIMEOUT_MS,
    });
    return fromBinary(DeleteResponseSchema, output);
  }

  async #run(
    bundle: Bundle,
    {
      action,
      input,
      timeoutMs,
    }: { action: 'start' | 'delete'; input: Uint8Array; timeoutMs: number },
  ): Promise<{ output: Buffer }> {
    const { address, publishBinary, isDebug } = this.#surroundings;
    const { namespace, id } = bundle;
    const argv = [
      '-namespace',
      namespace,
      '-address',
      address,
      '-publish-binary',
      publishBinary,
      '-id',
      id,
    ];
    if (action === 'delete') argv.push('-bundle', bundle.path);
    if (isDebug) argv.push('-debug');
    argv.push(action);
    const child = spawn(this.path, argv, {
      cwd: bundle.path,
      env: shimEnvironment(this.#surroundings, bundle.namespace),
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const output: Buffer[] = [];
    const complaints: Buffer[] = [];
    collect(child.stdout, output);
    collect(child.stderr, complaints);
    // A shim that does not read its options closes the pipe early.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) {
      // `start` answers on stdout and complains on either.
      const said = Buffer.concat([...complaints, ...(action === 'start' ? output : [])])
        .toString('utf8')
        .trim();
      throw new EngineError(
        'unknown',
        `${said === '' ? `${this.path} ${action}` : said}: exit status ${code ?? 'killed'}`,
      );
    }
    return { output: Buffer.concat(output) };
  }
}

const collect = (stream: NodeJS.ReadableStream, into: Buffer[]): void => {
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= OUTPUT_LIMIT_BYTES) into.push(chunk);
  });
};

/** A plain address, JSON, or a protobuf: each generation of shims says it in its own way. */
export const parseBootstrap = (output: Uint8Array): Bootstrap => {
  const text = Buffer.from(output).toString('utf8').trim();
  const bootstrap = text.startsWith('{')
    ? fromJson(text)
    : (fromProtobuf(output) ?? { version: 2, address: text, protocol: 'ttrpc' });
  if (bootstrap.protocol !== 'ttrpc' && bootstrap.protocol !== 'grpc') {
    throw new EngineError(
      'not_implemented',
      `unexpected protocol: "${bootstrap.protocol}": not implemented`,
    );
  }
  // gRPC came with the third.
  const oldest = bootstrap.protocol === 'grpc' ? 3 : 2;
  if (bootstrap.version < oldest || bootstrap.version > 3) {
    throw new EngineError(
      'not_implemented',
      `unsupported shim version (${bootstrap.version}): not implemented`,
    );
  }
  socketPathOf(bootstrap);
  return bootstrap;
};

const fromJson = (text: string): Bootstrap => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new EngineError('unknown', `shim answered broken JSON: ${text.slice(0, 200)}`, {
      cause: error,
    });
  }
  const { version, address, protocol } = parsed as Partial<Bootstrap>;
  if (typeof address !== 'string') throw new EngineError('unknown', 'shim answered no address');
  return {
    version: typeof version === 'number' ? version : 2,
    address,
    protocol: typeof protocol === 'string' ? protocol : 'ttrpc',
  };
};

const fromProtobuf = (output: Uint8Array): Bootstrap | undefined => {
  try {
    const { version, address, protocol } = fromBinary(BootstrapResultSchema, output);
    return address.startsWith('unix://') ? { version, address, protocol } : undefined;
  } catch {
    return undefined;
  }
};

/** The path of the shim's socket. */
export const socketPathOf = ({ address }: Bootstrap): string => {
  const path = address.replace(/^(ttrpc\+)?unix:\/\//, '');
  if (!path.startsWith('/'))
    throw new EngineError('unknown', `shim answered a strange address: ${address.slice(0, 200)}`);
  return path;
};
