/**
 * containerd: keeps images and snapshots, and runs tasks through shims. Clients speak gRPC to its socket.
 * Upstream: containerd cmd/containerd.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { native } from '../native/load.ts';
import { exporterFromEnvironment } from '../tracing/exporter.ts';
import { Tracer } from '../tracing/tracer.ts';
import { checkSocketPath, isSocketAlive } from '../transport/unix-socket.ts';
import { ApplyPool } from './diff/apply-pool.ts';
import { startContainerd } from './services/server.ts';
import { Log } from './log.ts';
import { runOciHook } from './oci-hook.ts';
import { parseOptions, USAGE, type Options } from './options.ts';
import { publish } from './publish.ts';
import { API_VERSION } from './services/version.ts';

/** Built beside this bundle. */
const APPLY_THREAD = new URL('containerd-apply-thread.cjs', import.meta.url);
const WARM_RUNTIME = 'io.containerd.engineroom.v2';

const main = async (): Promise<void> => {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') return void process.stdout.write(USAGE);
  if (options === 'version')
    return void process.stdout.write(`containerd engine-room ${API_VERSION}\n`);
  if ('command' in options) {
    if (options.command === 'oci-hook') process.exit(runOciHook(options.words));
    return publish(options.address, options);
  }
  process.title = 'containerd';
  const log = new Log(options.logLevel);
  await refuseLivingDaemon(options);
  // Also a signal that comes during the start ends us in good order.
  const stopAsked = new Promise<NodeJS.Signals>((resolve) => {
    process.on('SIGTERM', resolve).on('SIGINT', resolve);
  });
  // The lab's terminal may go away; that is no reason to stop.
  process.on('SIGHUP', () => undefined);
  const exporter = exporterFromEnvironment();
  const tracer = new Tracer('containerd', exporter);
  const ownBinary = resolve(process.argv[1] ?? '');
  const containerd = await startContainerd({
    ...options,
    ownBinary,
    ownFolder: dirname(ownBinary),
    warmRuntime: process.env['ENGINE_ROOM_NO_SPARE'] ? undefined : WARM_RUNTIME,
    kernel: native,
    applyBlob: new ApplyPool(fileURLToPath(APPLY_THREAD)).apply,
    tracer,
    log,
  });
  if (options.pidfile) writeFileSync(options.pidfile, String(process.pid));
  log.info('containerd successfully booted', { address: options.address, pid: process.pid });

  const signal = await stopAsked;
  log.info(`stopping on ${signal}: containers and their shims go on`);
  await containerd.close();
  for (const path of [options.pidfile, options.address, `${options.address}.ttrpc`])
    if (path) rmSync(path, { force: true });
  await tracer.flush();
  process.exit(0);
};

/** Two daemons on one root would destroy it. Nothing has been touched when this is said. */
const refuseLivingDaemon = async ({ address }: Options): Promise<void> => {
  checkSocketPath(address);
  if (await isSocketAlive(address)) {
    throw new EngineError(
      'conflict',
      `${address} is in use: another containerd answers there; stop it, or choose another --address, --root and --state`,
    );
  }
};

main().catch((error: unknown) => {
  process.stderr.write(`containerd: ${messageOf(error)}\n`);
  process.exit(1);
});
