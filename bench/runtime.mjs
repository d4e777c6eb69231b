/**
 * create + start + wait + delete of one busybox bundle: our runc, in process as the shim has it and as a command,
 * beside Debian's runc and crun. Needs root, runc and crun (`npm run test:peers` installs them).
 *
 *   node bench/runtime.mjs [--runs 20] [--warm-up 20] [--pause 0]
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { importSources } from './bundle.mjs';
import { exitOf, removeCgroups, stateFolder, writeBundle } from './container.mjs';
import { load, options, printMachine, printTable, ratio, versionOf } from './measure.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const UNIFIED = '/sys/fs/cgroup/unified';
const OWN_NAMESPACE = 'ENGINE_ROOM_BENCH_NAMESPACE';
const { runs, warmUp, pause } = options({ runs: 20, warmUp: 20 });
// Debian's runc lies in /usr/sbin.
process.env.PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;

// crun refuses a machine that has cgroup v1 and v2 mounted at once; in a mount namespace of our own v2 can be away.
if (process.env[OWN_NAMESPACE] === undefined) {
  const { status, error } = spawnSync(
    'unshare',
    ['--mount', process.execPath, fileURLToPath(import.meta.url), ...process.argv.slice(2)],
    { stdio: 'inherit', env: { ...process.env, [OWN_NAMESPACE]: '1' } },
  );
  if (error) throw error;
  process.exit(status ?? 1);
}
const isUnmounted =
  existsSync(UNIFIED) && spawnSync('umount', [UNIFIED], { stdio: 'inherit' }).status === 0;

const { native, createContainer, startContainer, deleteContainer, Tracer, makeBusyboxRootfs } =
  await importSources('libcontainer', [
    'apps/engine/src/native/load.ts',
    'apps/engine/src/libcontainer/create-container.ts',
    'apps/engine/src/libcontainer/start-container.ts',
    'apps/engine/src/libcontainer/delete-container.ts',
    'apps/engine/src/tracing/tracer.ts',
    'e2e/docker-cli/support/busybox-rootfs.ts',
  ]);

const folder = mkdtempSync(join(tmpdir(), 'bench-runtime-'));
const states = stateFolder();
// In memory, as /run is wherever systemd has booted; here it may be a folder of the disk.
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'mode=0711', 'tmpfs', states], {
  encoding: 'utf8',
});
if (mounted.status !== 0) throw new Error(`mount ${states}: ${mounted.stderr}`);
const cgroupParent = `/bench-${process.pid}`;
native.setChildSubreaper();

/** Events are made, and written as JSON some milliseconds later, as for a lab (tracing/exporter.ts), and then forgotten. */
const events = [];
const writeDown = () => events.splice(0).forEach((event) => JSON.stringify(event));
const tracer = new Tracer('shim', {
  export: (event) => {
    if (events.push(event) === 1) setTimeout(writeDown, 10);
  },
  flush: () => Promise.resolve(),
  close: () => undefined,
});

/** As the shim does it. */
function inProcess(root) {
  const nothing = openSync('/dev/null', 'r+');
  return {
    create: async (bundle, id) => {
      const stdio = [nothing, nothing, nothing];
      const created = await createContainer({ native, tracer, root, id, bundle, stdio });
      return () => exitOf(native, created.pid, created.pidfd);
    },
    start: (id) => startContainer({ native, tracer, root, id }),
    delete: (id) => deleteContainer({ native, tracer, root, id }),
    close: () => closeSync(nothing),
  };
}

/** As three commands. */
function commands(file, root) {
  const run = (...args) =>
    new Promise((resolve, reject) => {
      const child = spawn(file, ['--root', root, ...args], {
        stdio: ['ignore', 'ignore', errors],
      });
      child.once('error', reject);
      child.once('exit', (code) => {
        if (code === 0) resolve();
        else reject(new Error(`${file} ${args.join(' ')}: ${readFileSync(errorFile, 'utf8')}`));
      });
    });
  // Not a pipe: the container would inherit it and keep it open.
  const errorFile = `${root}.errors`;
  const errors = openSync(errorFile, 'a');
  return {
    create: async (bundle, id) => {
      const pidFile = join(bundle, 'pid');
      await run('create', '--bundle', bundle, '--pid-file', pidFile, id);
      const pid = Number(readFileSync(pidFile, 'utf8'));
      const pidfd = native.pidfdOpen(pid);
      return () => exitOf(native, pid, pidfd);
    },
    start: (id) => run('start', id),
    delete: (id) => run('delete', id),
    close: () => closeSync(errors),
  };
}

/** The four parts and their sum, in ms. */
async function lap(runtime, bundle, id) {
  const times = [performance.now()];
  const note = () => times.push(performance.now());
  const watch = await runtime.create(bundle, id);
  note();
  const exited = watch();
  await runtime.start(id);
  note();
  await exited;
  note();
  await runtime.delete(id);
  note();
  const parts = times.slice(1).map((time, index) => time - times[index]);
  return [...parts, times[4] - times[0]];
}

const runtimes = {
  'ours, in process': inProcess(join(states, 'state-in-process')),
  'ours, three commands': commands(
    join(ROOT, 'apps/engine/bin/runc'),
    join(states, 'state-commands'),
  ),
  'runc, three commands': commands('runc', join(states, 'state-runc')),
  'crun, three commands': commands('crun', join(states, 'state-crun')),
};

try {
  makeBusyboxRootfs(join(folder, 'rootfs'));
  printMachine();
  console.log(
    `real     ${versionOf('runc', '--version')}; ${versionOf('crun', '--version')}\n` +
      `runs     ${runs} each, in turns, after ${warmUp} to warm up, ${pause} ms apart`,
  );
  const names = Object.keys(runtimes);
  const bundles = names.map((_, index) => writeBundle(folder, `container-${index}`, cgroupParent));
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0 - warmUp; round < runs; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      // Who goes first changes from round to round.
      const index = (turn + round + warmUp) % names.length;
      if (pause > 0) await sleep(pause);
      const laps = await lap(
        runtimes[names[index]],
        bundles[index],
        `bench-${process.pid}-${index}`,
      );
      if (round >= 0) samples[names[index]].push(laps);
    }
  }
  for (const [part, title] of ['create', 'start', 'wait', 'delete', 'all four'].entries()) {
    const column = names.map((name) => [name, samples[name].map((laps) => laps[part])]);
    console.log(`\n${title}`);
    printTable(Object.fromEntries(column));
  }
  const sums = (name) => samples[name].map((laps) => laps[4]);
  for (const other of names.slice(2))
    console.log(
      `\nratio of the medians, ours in process / ${other}: ${ratio(sums(names[0]), sums(other))}`,
    );
  console.log(`\nload ${load()} (1, 5, 15 min, after)`);
} finally {
  for (const runtime of Object.values(runtimes)) runtime.close();
  removeCgroups(cgroupParent, { isUnmounted });
  spawnSync('umount', [states]);
  rmSync(states, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
