/**
 * What tracing costs: create + start of one busybox bundle in process, as the shim has it, with a lab that listens and
 * without one, in turns. With a lab, events are written as JSON into a unix socket that another process reads.
 * The helper's records are written in both cases: they are also how a failure is noticed.
 * Needs root and runc (for `runc spec`; `npm run test:peers` installs it).
 *
 *   node bench/tracing.mjs [--runs 200] [--warm-up 20]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importSources } from './bundle.mjs';
import { exitOf, removeCgroups, stateFolder, writeBundle } from './container.mjs';
import { load, options, printMachine, printTable, ratio } from './measure.mjs';

const { runs, warmUp } = options({ runs: 200, warmUp: 20 });
process.env.PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;

const {
  native,
  createContainer,
  startContainer,
  deleteContainer,
  Tracer,
  SocketExporter,
  nullExporter,
  makeBusyboxRootfs,
} = await importSources('tracing', [
  'apps/engine/src/native/load.ts',
  'apps/engine/src/libcontainer/create-container.ts',
  'apps/engine/src/libcontainer/start-container.ts',
  'apps/engine/src/libcontainer/delete-container.ts',
  'apps/engine/src/tracing/tracer.ts',
  'apps/engine/src/tracing/exporter.ts',
  'e2e/docker-cli/support/busybox-rootfs.ts',
]);

const folder = mkdtempSync(join(tmpdir(), 'bench-tracing-'));
const root = stateFolder();
const cgroupParent = `/bench-tracing-${process.pid}`;
const nothing = openSync('/dev/null', 'r+');
native.setChildSubreaper();

/** Reads whatever comes and says how much it was, at the end. */
const READER = `
  let bytes = 0;
  const server = require('node:net').createServer((socket) => {
    socket.on('data', (chunk) => (bytes += chunk.length));
    socket.on('end', () => { console.log(bytes); server.close(); });
  });
  server.listen(process.argv[1], () => console.log('ready'));
`;

/** Milliseconds of create and start on the clock, and of this process's processor time for the whole lap. */
async function lap(tracer, bundle) {
  const id = `tracing-${process.pid}`;
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const { pid, pidfd } = await createContainer({
    ...{ native, tracer, root, id, bundle },
    stdio: [nothing, nothing, nothing],
  });
  const exited = exitOf(native, pid, pidfd);
  await startContainer({ native, tracer, root, id });
  const wall = performance.now() - begin;
  await exited;
  await tracer.flush();
  const { user, system } = process.cpuUsage(cpu);
  await deleteContainer({ native, tracer, root, id });
  await tracer.flush();
  return { wall, cpu: (user + system) / 1000 };
}

const path = join(folder, 'lab.sock');
const reader = spawn(process.execPath, ['-e', READER, path], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  makeBusyboxRootfs(join(folder, 'rootfs'));
  const bundle = writeBundle(folder, 'container', cgroupParent);
  await once(reader.stdout, 'data');
  const exporter = new SocketExporter(path);
  const tracers = {
    'with a lab': new Tracer('shim', exporter),
    'without one': new Tracer('shim', nullExporter),
  };
  printMachine();
  console.log(`runs     ${runs} each, in turns, after ${warmUp} to warm up`);
  const names = Object.keys(tracers);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0 - warmUp; round < runs; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const sample = await lap(tracers[name], bundle);
      if (round >= 0) samples[name].push(sample);
    }
  }
  exporter.close();
  const [read] = await once(reader.stdout, 'data');
  const laps = runs + warmUp;
  console.log(`trace    ${Math.round(Number(String(read)) / laps / 1024)} KiB a container`);
  for (const [kind, title] of [
    ['wall', 'create + start'],
    ['cpu', 'processor time of this process, create to exit'],
  ]) {
    const column = (name) => samples[name].map((sample) => sample[kind]);
    console.log(`\n${title}`);
    printTable(Object.fromEntries(names.map((name) => [name, column(name)])));
    console.log(`ratio of the medians: ${ratio(column(names[0]), column(names[1]))}`);
  }
  console.log(`\nload ${load()} (1, 5, 15 min, after)`);
} finally {
  reader.kill();
  closeSync(nothing);
  removeCgroups(cgroupParent);
  rmSync(root, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
