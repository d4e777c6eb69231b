/**
 * `docker run --rm busybox true` through the official CLI: our engine beside Debian's dockerd, turn by turn.
 * Needs root, the official CLI and docker.io, containerd, runc (`npm run test:peers` installs them).
 *
 *   node bench/docker-run.mjs [--runs 20] [--warm-up 3] [--pause 1000]
 */
import { spawnSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { importSources } from './bundle.mjs';
import { load, options, printMachine, printTable, ratio, versionOf } from './measure.mjs';
import { makeRunFolder } from './run-folder.mjs';

const { runs, warmUp, pause } = options({ runs: 20, warmUp: 3, pause: 1000 });
// Debian's daemons lie in /usr/sbin.
process.env.PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;

const clientOf = ({ socket, root }) => ({
  env: { PATH: process.env.PATH, HOME: root, DOCKER_CONFIG: root, DOCKER_HOST: `unix://${socket}` },
  encoding: 'utf8',
});

function docker(engine, ...args) {
  const { status, stdout, stderr, error } = spawnSync('docker', args, clientOf(engine));
  if (error) throw error;
  if (status !== 0) throw new Error(`docker ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout.trim();
}

function timeRun(engine) {
  const begin = performance.now();
  docker(engine, 'run', '--rm', 'busybox', 'true');
  return performance.now() - begin;
}

const { startOurEngine, startRealEngine } = await importSources('engines', [
  'e2e/support/our-engine.ts',
  'e2e/docker-cli/support/real-engine.ts',
]);
const started = [];
const run = makeRunFolder();
try {
  const ours = await startOurEngine([], [], run.of('ours'));
  started.push(ours);
  const real = await startRealEngine(undefined, { runFolder: run.of('real') });
  started.push(real);

  printMachine();
  console.log(`client   ${versionOf('docker', '--version')}`);
  const version = (engine) => docker(engine, 'version', '--format', '{{.Server.Version}}');
  console.log(`real     dockerd ${version(real)}, ${versionOf('containerd', '--version')}`);
  console.log(`         ${versionOf('runc', '--version')}`);
  console.log(`ours     dockerd ${version(ours)}`);
  console.log(
    `runs     ${runs} each, in turns, after ${warmUp} to warm up, ${pause} ms apart; the default bridge in both`,
  );

  const samples = { 'ours, traced': [], 'real dockerd': [] };
  for (let round = 0 - warmUp; round < runs; round++) {
    // Who goes first changes, so that neither always meets the other's leftovers.
    const turns = [
      ['ours, traced', ours],
      ['real dockerd', real],
    ];
    for (const [name, engine] of round % 2 === 0 ? turns : turns.reverse()) {
      await setTimeout(pause);
      const time = timeRun(engine);
      if (round >= 0) samples[name].push(time);
    }
  }
  printTable(samples);
  console.log(
    `\nratio of the medians, ours / real: ${ratio(samples['ours, traced'], samples['real dockerd'])}`,
  );
  console.log(`load ${load()} (1, 5, 15 min, after)`);
} finally {
  for (const engine of started.reverse()) await engine.stop();
  run.remove();
}
