/**
 * Our containerd beside Debian's, turn by turn: `ctr images pull` of a large image out of a registry on loopback
 * (fetch, verify, unpack), a snapshot prepared and mounted, a task created, and an empty gRPC call.
 * Needs root, containerd, docker-registry and skopeo (`npm run test:peers` installs them).
 *
 *   node bench/containerd.mjs [--runs 5] [--warm-up 1] [--pause 0]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { importSources } from './bundle.mjs';
import { load, median, options, printMachine, printTable, ratio, versionOf } from './measure.mjs';

const { runs, warmUp, pause } = options({ runs: 5, warmUp: 1 });
process.env.PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;

const LAYERS = 4;
const FILES = 400;
const FILE_BYTES = 128 * 1024;
/** Unary calls, snapshots and tasks take little: many of them make one figure. */
const CALLS = 300;
const SMALL = 20;

const sources = await importSources('ctr/containerd', [
  'apps/engine/src/containerd/testing/image.ts',
  'apps/engine/src/native/load.ts',
  'apps/engine/src/protocol/gen/containerd/containers_pb.ts',
  'apps/engine/src/protocol/gen/containerd/namespaces_pb.ts',
  'apps/engine/src/protocol/gen/containerd/snapshots_pb.ts',
  'apps/engine/src/protocol/gen/containerd/tasks_pb.ts',
  'apps/engine/src/protocol/gen/containerd/version_pb.ts',
  'apps/engine/src/transport/grpc-client.ts',
  'e2e/ctr/support/containerds.ts',
  'e2e/ctr/support/registry.ts',
  'e2e/ctr/support/large-image.ts',
]);
const { native, startContainerd, startRegistry, createGrpcChannel } = sources;
const NAMESPACE = 'bench';

const folder = mkdtempSync(join(tmpdir(), 'bench-containerd-'));
const registry = await startRegistry();
const daemons = [await startContainerd('ours'), await startContainerd('real')];
const nameOf = ({ kind }) => (kind === 'ours' ? 'ours' : 'real containerd');

const ctr = ({ address }, ...args) => {
  const said = spawnSync('ctr', ['--address', address, '--namespace', NAMESPACE, ...args], {
    encoding: 'utf8',
  });
  if (said.status !== 0) throw new Error(`ctr ${args.join(' ')}: ${said.stderr}`);
  return said.stdout;
};

/** The most memory that the process has had at once, in MiB. proc_pid_status(5) */
const peakOf = ({ pid }) =>
  Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

async function inTurns(columns, work) {
  for (let round = 0 - warmUp; round < runs; round++) {
    const turns = round % 2 === 0 ? daemons : daemons.toReversed();
    for (const daemon of turns) {
      await setTimeout(pause);
      const samples = [await work(daemon, round)].flat();
      if (round >= 0) (columns[nameOf(daemon)] ??= []).push(...samples);
    }
  }
  return columns;
}

async function timed(work) {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

function report(what, columns) {
  console.log(`\n### ${what}`);
  printTable(columns);
  console.log(
    `\nRatio of the medians, ours / real: ${ratio(columns.ours, columns['real containerd'])}`,
  );
}

const pull = (daemon, name) =>
  timed(() => ctr(daemon, 'images', 'pull', '--plain-http', `${registry.host}/${name}`));
const forget = (daemon, name) => ctr(daemon, 'images', 'rm', '--sync', `${registry.host}/${name}`);

try {
  printMachine();
  console.log(`real     ${versionOf('containerd', '--version')}`);
  for (const [name, layers] of [
    ['large:1', LAYERS],
    ['small:1', 1],
  ]) {
    const archive = join(folder, 'image.tar');
    await sources.writeLargeImage(archive, { layers, files: FILES, fileBytes: FILE_BYTES });
    execFileSync('skopeo', [
      ...['copy', '--dest-tls-verify=false', `oci-archive:${archive}`],
      `docker://${registry.host}/${name}`,
    ]);
  }
  const bytes = LAYERS * FILES * FILE_BYTES;
  console.log(
    `image    ${(bytes / 1024 ** 2).toFixed(0)} MiB in ${LAYERS} layers of ${FILES} files`,
  );

  for (const daemon of daemons) await pull(daemon, 'small:1');
  const before = daemons.map(peakOf);
  const pulls = await inTurns({}, async (daemon) => {
    const took = await pull(daemon, 'large:1');
    forget(daemon, 'large:1');
    return took;
  });
  report('Pull and unpack', pulls);
  daemons.forEach((daemon, index) =>
    console.log(
      `Most memory, ${nameOf(daemon)}: ${before[index].toFixed(0)} MiB after an image of one layer, ${peakOf(daemon).toFixed(0)} MiB after the large one`,
    ),
  );

  const layer = await sources.busyboxLayer();
  const channels = new Map();
  for (const daemon of daemons) {
    const socketPath = daemon.address;
    const channel = createGrpcChannel({ socketPath, peer: 'containerd', namespace: NAMESPACE });
    channels.set(daemon, channel);
    await sources.importLayer(channel, layer, { name: 'box', parent: '' });
  }
  const version = (daemon) => channels.get(daemon).client(sources.Version).version({});

  const unary = await inTurns({}, async (daemon) => {
    const samples = [];
    for (let call = 0; call < CALLS; call++) samples.push(await timed(() => version(daemon)));
    return samples;
  });
  report('One unary gRPC call, from our client', unary);
  console.log(`p50 of ours: ${median(unary.ours).toFixed(2)} ms`);

  const target = join(folder, 'root');
  mkdirSync(target);
  const snapshots = await inTurns({}, async (daemon, round) => {
    const client = channels.get(daemon).client(sources.Snapshots);
    const samples = [];
    for (let each = 0; each < SMALL; each++) {
      const key = `s-${round}-${each}`;
      samples.push(
        await timed(async () => {
          // Else a garbage collection may take it at any moment.
          const labels = { 'containerd.io/gc.root': '1' };
          const asked = { snapshotter: 'overlayfs', key, parent: 'box', labels };
          const [{ type, source, options: words }] = (await client.prepare(asked)).mounts;
          native.mount({ source, target, type, flags: 0, data: words.join(',') });
        }),
      );
      native.unmount(target, 0);
      await client.remove({ snapshotter: 'overlayfs', key });
    }
    return samples;
  });
  report('Snapshot: prepare and mount', snapshots);

  const tasks = await inTurns({}, async (daemon, round) => {
    const channel = channels.get(daemon);
    const samples = [];
    for (let each = 0; each < SMALL / 4; each++) {
      const id = `t-${round + warmUp}-${each}`;
      const rootfs = await sources.createContainer(channel, {
        ...{ id, args: ['sleep', '1000'], runtime: daemon.runtime, parent: 'box' },
        cgroup: `/bench-${process.pid}`,
      });
      const client = channel.client(sources.Tasks);
      samples.push(await timed(() => client.create({ containerId: id, rootfs })));
      await client.kill({ containerId: id, signal: 9 });
      await client.wait({ containerId: id });
      await client.delete({ containerId: id });
      await channel.client(sources.Containers).delete({ id });
      await channel.client(sources.Snapshots).remove({ snapshotter: 'overlayfs', key: id });
    }
    return samples;
  });
  report('Tasks/Create', tasks);
  console.log(`\nload     ${load()} (1, 5, 15 min, after)`);
  for (const channel of channels.values()) channel.close();
} finally {
  for (const daemon of daemons) await daemon.stop();
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
}
