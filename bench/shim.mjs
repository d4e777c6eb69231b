/**
 * Shims, ours beside Debian's, in the same run: how long until one is ready, what they weigh with 10 and with 100
 * containers, 100 containers started at once through the Engine API, and what hundreds of execs leave in a shim.
 * Needs root, docker.io, containerd and runc (`npm run test:peers` installs them).
 *
 *   node bench/shim.mjs [--runs 10] [--warm-up 2]
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { importSources } from './bundle.mjs';
import { load, options, printMachine, printTable, ratio, versionOf } from './measure.mjs';

const { runs, warmUp } = options({ runs: 10, warmUp: 2 });
// Debian's daemons lie in /usr/sbin.
process.env.PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
const OUR_SHIM = join(
  dirname(fileURLToPath(import.meta.url)),
  '../apps/engine/bin/containerd-shim-engineroom-v2',
);
const REAL_SHIM = 'containerd-shim-runc-v2';
const MIB = 1024;

const cmdlineOf = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};
const environmentOf = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
};
const processes = (isWanted) =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isWanted(cmdlineOf(pid)));
/** The memory of a process, what it shares divided among those who share it. proc_pid_smaps(5) */
const pssKib = (pid) =>
  Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
/** The kernel's memory for the map of it; in no PSS. proc_pid_status(5) */
const pageTablesKib = (pid) =>
  Number(/^VmPTE:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
const sum = (pids, kib = pssKib) => pids.reduce((total, pid) => total + kib(pid), 0) / MIB;

/** A shim gives back what it has needed when it is quiet, and so does the real one's garbage collector. */
const REST_MS = 10_000;

// --- ready ---

let count = 0;
const folder = mkdtempSync(join(tmpdir(), 'bench-shim-'));
const environment = () => ({ PATH: process.env.PATH, TTRPC_ADDRESS: join(folder, 'c.sock.ttrpc') });

/** From the exec of `start` to the address on its stdout. */
function timeStart(shim) {
  const bundle = mkdtempSync(join(folder, 'bundle-'));
  // Debian's looks for annotations in it.
  writeFileSync(join(bundle, 'config.json'), '{"ociVersion":"1.0.2"}');
  const id = `bench-${process.pid}-${(count += 1)}`;
  const flags = ['-namespace', 'bench', '-address', join(folder, 'c.sock'), '-id', id];
  const begin = performance.now();
  const { status, stderr } = spawnSync(shim, [...flags, '-publish-binary', '/bin/true', 'start'], {
    cwd: bundle,
    env: environment(),
    input: '',
  });
  const time = performance.now() - begin;
  if (status !== 0) throw new Error(`${shim} start: ${String(stderr)}`);
  for (const pid of processes((line) => line.includes(id))) process.kill(pid, 'SIGKILL');
  return time;
}

/** Connects as soon as somebody listens, and hears the first word. */
async function firstWord(path) {
  for (;;) {
    const socket = connect(path);
    const isReady = await new Promise((resolve) => {
      socket.once('data', () => resolve(true)).once('error', () => resolve(false));
    });
    if (isReady) return socket;
    await sleep(1);
  }
}

/**
 * The template from its exec to its first word, which is paid once by a containerd; then, for each container, a spare
 * from the connection that asks for it to its first word: that is where containerd begins to wait for a container.
 */
async function timeSpare() {
  const path = join(folder, `spare-${(count += 1)}.sock`);
  const begin = performance.now();
  const child = spawn(OUR_SHIM, ['-address', join(folder, 'c.sock'), 'spare', path], {
    env: environment(),
    stdio: 'ignore',
  });
  const line = await firstWord(path);
  const template = performance.now() - begin;
  const asked = performance.now();
  const spare = await firstWord(path);
  const time = performance.now() - asked;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  spare.destroy();
  line.destroy();
  await gone;
  return [template, time];
}

// --- containers ---

const ask = ({ socket }, method, path, body) =>
  new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const call = request(
      {
        socketPath: socket,
        method,
        path: `/v1.41${path}`,
        headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) },
      },
      (response) => {
        let said = '';
        response.setEncoding('utf8').on('data', (chunk) => (said += chunk));
        response.on('end', () => {
          if (response.statusCode < 400) resolve(said === '' ? null : JSON.parse(said));
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${said}`));
        });
      },
    );
    call.on('error', reject);
    call.end(text);
  });

async function runContainer(engine) {
  const { Id } = await ask(engine, 'POST', '/containers/create', {
    Image: 'busybox',
    Cmd: ['sleep', '10000'],
    HostConfig: { NetworkMode: 'none' },
  });
  await ask(engine, 'POST', `/containers/${Id}/start`);
  return Id;
}

/** The shim is the parent of the container's first process. */
async function shimOf(engine, id) {
  const { State } = await ask(engine, 'GET', `/containers/${id}/json`);
  const stat = readFileSync(`/proc/${State.Pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** dockerd and containerd, and of ours the template of shims and the spare; the lab is no part of Docker. */
const daemonsOf = ({ root }) => [
  ...processes(
    (line) =>
      line.includes(root) && /^\S*(dockerd|containerd)\s/.test(line) && !line.includes('shim'),
  ),
  ...processes((line) => /^containerd-shim-engineroom-v2 (template|spare)/.test(line)).filter(
    (pid) => environmentOf(pid).includes(root),
  ),
];

async function burst(engine, size) {
  const begin = performance.now();
  const ids = await Promise.all(Array.from({ length: size }, () => runContainer(engine)));
  const seconds = (performance.now() - begin) / 1000;
  const shims = await Promise.all(ids.map((id) => shimOf(engine, id)));
  const atWork = sum(shims) / size;
  const pageTables = sum(shims, pageTablesKib) / size;
  await sleep(REST_MS);
  const atRest = sum(shims);
  const weight = {
    ...{ seconds, atWork, pageTables },
    perShim: atRest / size,
    whole: atRest + sum(daemonsOf(engine)),
  };
  await Promise.all(ids.map((id) => ask(engine, 'DELETE', `/containers/${id}?force=1`)));
  return weight;
}

/** Descriptors and memory of a shim after so many execs; each has come to its end when the next one begins. */
async function execs(engine, counts) {
  const id = await runContainer(engine);
  const pid = await shimOf(engine, id);
  const seen = [];
  for (let done = 0; done < counts.at(-1);) {
    const { Id } = await ask(engine, 'POST', `/containers/${id}/exec`, {
      Cmd: ['true'],
      AttachStdout: true,
    });
    await ask(engine, 'POST', `/exec/${Id}/start`, { Detach: true });
    while ((await ask(engine, 'GET', `/exec/${Id}/json`)).Running) await sleep(1);
    done += 1;
    if (!counts.includes(done)) continue;
    const atWork = sum([pid]);
    await sleep(REST_MS);
    const fds = readdirSync(`/proc/${pid}/fd`).length;
    seen.push({ ...{ done, fds, atWork }, mib: sum([pid]) });
  }
  await ask(engine, 'DELETE', `/containers/${id}?force=1`);
  return seen;
}

const { startOurEngine, startRealEngine } = await importSources('engines', [
  'e2e/support/our-engine.ts',
  'e2e/docker-cli/support/real-engine.ts',
]);
const started = [];
try {
  printMachine();
  console.log(`real     ${versionOf('containerd', '--version')}, its shim`);
  console.log(`runs     ${runs} each, in turns, after ${warmUp} to warm up`);
  const ready = { 'our template': [], 'our spare': [], 'our start': [], 'real start': [] };
  for (let round = 0 - warmUp; round < runs; round++) {
    const times = [...(await timeSpare()), timeStart(OUR_SHIM), timeStart(REAL_SHIM)];
    if (round >= 0) Object.values(ready).forEach((samples, index) => samples.push(times[index]));
  }
  printTable(ready);
  console.log(`\nratio, our spare / real start: ${ratio(ready['our spare'], ready['real start'])}`);

  const engines = [
    ['ours', await startOurEngine()],
    ['real', await startRealEngine()],
  ];
  started.push(...engines.map(([, engine]) => engine));
  // What is loaded or made at the first container is no part of a burst.
  for (const [, engine] of engines) await burst(engine, 2);
  console.log(
    '\n| at once | whose | seconds | MiB a shim (PSS) | at rest | with the daemons | page tables |\n' +
      '| ------: | ----- | ------: | ---------------: | ------: | ---------------: | ----------: |',
  );
  for (const size of [10, 100])
    for (const [whose, engine] of engines) {
      const { seconds, atWork, perShim, whole, pageTables } = await burst(engine, size);
      const cells = [
        ...[seconds.toFixed(2), atWork.toFixed(1), perShim.toFixed(1), whole.toFixed(0)],
        pageTables.toFixed(2),
      ];
      console.log(`| ${size} | ${whose} | ${cells.join(' | ')} |`);
    }
  console.log('\n| execs | whose | descriptors of the shim | MiB (PSS) | at rest |');
  console.log('| ----: | ----- | ----------------------: | --------: | ------: |');
  for (const [whose, engine] of engines)
    for (const { done, fds, atWork, mib } of await execs(engine, [50, 250]))
      console.log(`| ${done} | ${whose} | ${fds} | ${atWork.toFixed(1)} | ${mib.toFixed(1)} |`);
  console.log(`\nload     ${load()} (1, 5, 15 min, after)`);
} finally {
  for (const engine of started.reverse()) await engine.stop();
  rmSync(folder, { recursive: true, force: true });
}
