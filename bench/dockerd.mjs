/**
 * What a client waits for, beside `docker run` itself (docker-run.mjs): our engine and Debian's dockerd in one run.
 * Needs root, the official CLI and docker.io, containerd, runc (`npm run test:peers` installs them).
 *
 *   node bench/dockerd.mjs [--runs 10] [--warm-up 2] [--pause 1000] [--only memory|run|burst|list|attach]
 *
 * The pause: what an engine does when its client has gone (it cleans up, ours writes its trace down and warms the next
 * shim) falls into nobody's measurement.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { importSources } from './bundle.mjs';
import { makeRunFolder } from './run-folder.mjs';
import { load, median, options, printMachine, printTable, ratio, versionOf } from './measure.mjs';

const PARTS = ['memory', 'run', 'burst', 'list', 'attach'];
const onlyAt = process.argv.indexOf('--only');
const only = onlyAt < 0 ? null : process.argv.splice(onlyAt, 2)[1];
if (only !== null && !PARTS.includes(only)) {
  console.error(`--only takes one of ${PARTS.join(', ')}`);
  process.exit(2);
}
const { runs, warmUp, pause } = options({ runs: 10, warmUp: 2, pause: 1000 });
const BURST = 50;
const BURSTS = 5;
const CONTAINERS = 200;
const ATTACHED_BYTES = 1e9;
// Debian's daemons lie in /usr/sbin.
process.env.PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;

const clientOf = ({ socket, root }) => ({
  env: { PATH: process.env.PATH, HOME: root, DOCKER_CONFIG: root, DOCKER_HOST: `unix://${socket}` },
});

function docker(engine, ...args) {
  const { status, stdout, stderr, error } = spawnSync('docker', args, {
    ...clientOf(engine),
    encoding: 'utf8',
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`docker ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout.trim();
}

const timed = (engine, ...args) => {
  const begin = performance.now();
  docker(engine, ...args);
  return performance.now() - begin;
};

/** Each side in turns, and who goes first changes. */
async function inTurns(engines, measure, count = runs, warm = warmUp) {
  const samples = Object.fromEntries(Object.keys(engines).map((name) => [name, []]));
  for (let round = -warm; round < count; round++) {
    const turns = Object.entries(engines);
    for (const [name, engine] of round % 2 === 0 ? turns : turns.reverse()) {
      await setTimeout(pause);
      const value = measure(engine);
      if (round >= 0) samples[name].push(value);
    }
  }
  return samples;
}

/** Proportional set size of the daemons, in MiB: memory that several share counts for each in part. */
function daemonMemory(engine) {
  return pidsOf(engine)
    .map((pid) => {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) / 1024;
    })
    .reduce((sum, size) => sum + size, 0);
}

/** Ours has them in pidfiles, theirs in command lines, in which the folder of the engine stands. */
const pidsOf = ({ kind, root, pidOf }) =>
  kind === 'ours'
    ? ['dockerd', 'containerd'].map((name) => pidOf(name))
    : readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .filter((pid) => {
          try {
            const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ');
            return /^(\S*\/)?(dockerd|containerd) /.test(argv) && argv.includes(root);
          } catch {
            // Gone meanwhile.
            return false;
          }
        });

async function burst(engine) {
  const begin = performance.now();
  const codes = await Promise.all(
    Array.from({ length: BURST }, async () => {
      const child = spawn('docker', ['run', '--rm', 'busybox', 'true'], {
        ...clientOf(engine),
        stdio: 'ignore',
      });
      return (await once(child, 'exit'))[0];
    }),
  );
  const failed = codes.filter((code) => code !== 0).length;
  if (failed > 0) console.log(`${failed} of ${BURST} runs failed`);
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
  const engines = { 'ours, traced': ours, 'real dockerd': real };
  const wants = (part) => only === null || only === part;
  const show = (title, samples) => {
    console.log(`\n#### ${title}`);
    printTable(samples);
    const [own, theirs] = Object.values(samples);
    console.log(`\nratio of the medians, ours / real: **${ratio(own, theirs)}**`);
  };

  printMachine();
  console.log(`client   ${versionOf('docker', '--version')}`);
  for (const [name, engine] of Object.entries(engines))
    console.log(`${name}: dockerd ${docker(engine, 'version', '--format', '{{.Server.Version}}')}`);

  if (wants('memory')) {
    console.log('\n#### dockerd and containerd at rest, MiB (proportional set size)');
    for (const [name, engine] of Object.entries(engines))
      console.log(`${name}: ${daemonMemory(engine).toFixed(0)}`);
  }
  if (wants('run')) {
    const floors = await inTurns(engines, (engine) => timed(engine, 'version'));
    show('docker version, the floor', floors);
    for (const network of ['bridge', 'none']) {
      const samples = await inTurns(engines, (engine) =>
        timed(engine, 'run', '--rm', '--network', network, 'busybox', 'true'),
      );
      show(`docker run --rm --network ${network} busybox true`, samples);
      const [own, theirs] = Object.keys(engines).map(
        (name) => median(samples[name]) - median(floors[name]),
      );
      console.log(
        `less the floor: ${own.toFixed(0)} / ${theirs.toFixed(0)} = **${(own / theirs).toFixed(2)}**`,
      );
    }
  }
  if (wants('burst')) {
    const samples = Object.fromEntries(Object.keys(engines).map((name) => [name, []]));
    // One of each warms up, as runs do.
    for (let round = -1; round < BURSTS; round++)
      for (const [name, engine] of Object.entries(engines)) {
        await setTimeout(pause);
        const took = await burst(engine);
        if (round >= 0) samples[name].push(took);
      }
    show(`${BURST} docker runs at once`, samples);
  }
  if (wants('list')) {
    for (const engine of Object.values(engines))
      for (let made = 0; made < CONTAINERS; made++)
        docker(engine, 'create', '--network', 'none', 'busybox', 'true');
    show(
      `docker ps -a of ${CONTAINERS} containers`,
      await inTurns(engines, (engine) => timed(engine, 'ps', '-a')),
    );
  }
  if (wants('attach')) {
    const script = `head -c ${ATTACHED_BYTES} /dev/zero`;
    const flags = [
      '--rm',
      '--network',
      'none',
      '--log-opt',
      'max-size=1m',
      '--log-opt',
      'max-file=1',
    ];
    show(
      `an attached client reads ${ATTACHED_BYTES / 1e6} MB`,
      await inTurns(
        engines,
        (engine) => {
          const begin = performance.now();
          const { status } = spawnSync('docker', ['run', ...flags, 'busybox', 'sh', '-c', script], {
            ...clientOf(engine),
            stdio: ['ignore', 'ignore', 'inherit'],
          });
          if (status !== 0) throw new Error(`ended with ${status}`);
          return performance.now() - begin;
        },
        2,
        0,
      ),
    );
  }
  console.log(`\nload ${load()} (1, 5, 15 min, after)`);
} finally {
  for (const engine of started.reverse()) await engine.stop();
  run.remove();
}
