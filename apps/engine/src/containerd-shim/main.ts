/**
 * `containerd-shim-engineroom-v2`: the process that stands between containerd and one container.
 *
 *   start    called by containerd in the bundle; leaves `serve` behind and prints its address
 *   serve    the shim itself
 *   spare    the template that shims are copied from before anybody needs them
 *   delete   called by containerd when a shim is gone
 *
 * Upstream: containerd pkg/shim and cmd/containerd-shim-runc-v2; docs: core/runtime/v2/README.md.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { native } from '../native/load.ts';
import { readHostFacts } from '../libcontainer/host-facts.ts';
import { compileSeccomp } from '../libcontainer/seccomp/compile.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { Linux } from '../protocol/oci/runtime-spec.ts';
import { SPARE_ACTION } from '../protocol/task/claim.ts';
import { exporterFromEnvironment } from '../tracing/exporter.ts';
import { Tracer } from '../tracing/tracer.ts';
import { bootstrapAnswer, parseParams, readInput, runtimeInfo } from './bootstrap.ts';
import { cleanUp } from './delete.ts';
import {
  RUNTIME_BINARY,
  RUNTIME_NAME,
  socketPathIn,
  VERSION,
  type ShimIdentity,
} from './identity.ts';
import { emptyNewSpace } from './new-space.ts';
import { parseOptions, type ShimOptions } from './options.ts';
import { rehearse } from './rehearsal.ts';
import { prepareShim, Shim } from './shim.ts';
import { offerSpares } from './spare.ts';
import { sayFailure, sayReady, startDaemon } from './start.ts';

const identityOf = ({ namespace, id, address, bundle, socket }: ShimOptions): ShimIdentity => ({
  namespace,
  id,
  address,
  bundle: bundle || process.cwd(),
  ttrpcAddress: process.env['TTRPC_ADDRESS'] || `${address}.ttrpc`,
  ...(socket ? { socketPath: socket } : {}),
});

const start = async (options: ShimOptions): Promise<string | Uint8Array> => {
  const identity = identityOf(options);
  const params = parseParams(await readInput(process.stdin), identity);
  const address = params?.containerdGrpcAddress || identity.address;
  const daemon = await startDaemon(
    native,
    {
      ...identity,
      address,
      ttrpcAddress: params?.containerdTtrpcAddress || identity.ttrpcAddress,
      ...(params?.socketDir
        ? { socketPath: socketPathIn(params.socketDir, { ...identity, address }) }
        : {}),
    },
    fileURLToPath(import.meta.url),
  );
  return bootstrapAnswer(daemon, params, process.env);
};

const newTracer = (): Tracer => new Tracer('shim', exporterFromEnvironment());

const serve = async (options: ShimOptions): Promise<void> => {
  try {
    await Shim.serve(prepareShim(native, newTracer()), identityOf(options));
  } catch (error) {
    await sayFailure(messageOf(error));
    throw error;
  }
  await sayReady();
};

const spare = async ({ operands }: ShimOptions): Promise<void> => {
  const [claimSocket] = operands;
  if (!claimSocket)
    throw new EngineError('invalid_argument', `${SPARE_ACTION} needs the path of a claim socket`);
  process.title = `${RUNTIME_BINARY} template`;
  const facts = readHostFacts();
  const settle = () => {
    emptyNewSpace();
    native.askFootprint();
  };
  // What it took to learn something is no part of what the spares share. First the heap is packed; after the last resort
  // V8 also lets go of the pages that are free by then.
  const learnt = () => {
    globalThis.gc?.();
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    emptyNewSpace();
    native.forgetFootprint();
  };
  // Hardly longer than the claim socket: the path of a socket has an end, too.
  await rehearse(native, join(dirname(claimSocket), 'stage'));
  learnt();
  await offerSpares({
    native,
    claimSocket,
    prepare: () => prepareShim(native, newTracer(), facts),
    settle,
    learn: (policy) => {
      const { seccomp } = Linux.parse({ seccomp: policy });
      if (seccomp) compileSeccomp(seccomp, facts.architecture);
      learnt();
    },
  });
};

/** Answers go to stdout whole, whatever kind of file that is. */
const print = (answer: string | Uint8Array): Promise<void> =>
  new Promise((resolve) => process.stdout.write(answer, () => resolve()));

const run = async (options: ShimOptions): Promise<void> => {
  if (options.version) {
    await print(`${RUNTIME_BINARY}:\n  Version:  ${VERSION}\n`);
    return;
  }
  if (options.info) {
    await print(
      runtimeInfo(await readInput(process.stdin), { name: RUNTIME_NAME, version: VERSION }),
    );
    return;
  }
  switch (options.action) {
    case 'start':
      await print(await start(options));
      break;
    case 'delete': {
      const tracer = newTracer();
      await print(await cleanUp(native, tracer, identityOf(options)));
      await tracer.flush();
      break;
    }
    case SPARE_ACTION:
      await spare(options);
      return;
    case 'serve':
      await serve(options);
      return;
    default:
      throw new EngineError('invalid_argument', `unknown action ${JSON.stringify(options.action)}`);
  }
  process.exit(0);
};

const main = async (): Promise<void> => {
  try {
    await run(parseOptions(process.argv.slice(2)));
  } catch (error) {
    process.stderr.write(`${RUNTIME_BINARY}: ${messageOf(error)}\n`);
    process.exit(1);
  }
};

void main();
