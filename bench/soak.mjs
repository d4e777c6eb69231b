/**
 * Many runs, one after the other, and what they leave: `node bench/soak.mjs --runs 10000`.
 *
 * Starts an engine of its own in throw-away folders and asks for `docker run --rm busybox true` on its socket. Each
 * hundred runs it writes down memory and descriptors of lab, dockerd and containerd, and the mounts, cgroups and
 * network links of the machine that are the engine's. Fails when a run fails, or when anything is left at the end.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { load, printMachine } from './measure.mjs';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '0' },
  },
});
const RUNS = Number(values.runs);
const UNTIL = values.seconds === '0' ? Infinity : performance.now() + Number(values.seconds) * 1000;
const EACH = 100;
const folder = mkdtempSync(join(tmpdir(), 'soak-'));
const cgroup = `/${folder.split('/').at(-1)}`;

const lab = spawn(
  fileURLToPath(new URL('../apps/engine/bin/lab', import.meta.url)),
  [
    '--port',
    '0',
    '--no-open',
    '--data-root',
    join(folder, 'data'),
    '--exec-root',
    join(folder, 'run'),
    '--cgroup-parent',
    cgroup,
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
for await (const chunk of lab.stdout) if (String(chunk).includes('Open')) break;

const pidOf = (daemon) => Number(readFileSync(join(folder, 'run', `${daemon}.pid`), 'utf8'));
const facts = (pid) => ({
  mb: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024,
  fds: readdirSync(`/proc/${pid}/fd`).length,
});
const mountinfo = () => readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
const cgroupFolders = () =>
  mountinfo()
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => join(line.split(' ')[4], cgroup))
    .filter((path) => existsSync(path))
    .reduce(
      (count, path) =>
        count +
        readdirSync(path, { withFileTypes: true }).filter((each) => each.isDirectory()).length,
      0,
    );

const sample = (runs) => {
  const row = {
    runs,
    lab: facts(lab.pid),
    dockerd: facts(pidOf('dockerd')),
    containerd: facts(pidOf('containerd')),
    mounts: mountinfo().filter((line) => line.includes(folder)).length,
    cgroups: cgroupFolders(),
    links: readdirSync('/sys/class/net').length,
  };
  const cell = ({ mb, fds }) => `${mb.toFixed(0)} / ${fds}`;
  console.log(
    `| ${runs} | ${cell(row.lab)} | ${cell(row.dockerd)} | ${cell(row.containerd)} | ${row.mounts} | ${row.cgroups} | ${row.links} |`,
  );
  return row;
};

const run = promisify(execFile);
const env = { ...process.env, DOCKER_HOST: `unix://${join(folder, 'run/docker.sock')}` };
printMachine();
console.log('\n| runs | lab MB / fds | dockerd | containerd | mounts | cgroups | links |');
console.log('| ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
let done = 0;
let failed = 0;
// The first runs warm up caches and the spare shim.
for (; done < 5; done += 1) await run('docker', ['run', '--rm', 'busybox', 'true'], { env });
const first = sample(done);
for (; done < RUNS && performance.now() < UNTIL;) {
  await run('docker', ['run', '--rm', 'busybox', 'true'], { env }).catch((error) => {
    failed += 1;
    console.error(`run ${done}: ${error.stderr ?? error.message}`);
  });
  done += 1;
  if (done % EACH === 0) sample(done);
}
// What a run leaves to be done after its client's end is done in a moment.
await new Promise((resolve) => setTimeout(resolve, 2_000));
const last = sample(done);
lab.kill('SIGTERM');
await once(lab, 'exit');
rmSync(folder, { recursive: true, force: true });
const left = ['mounts', 'cgroups', 'links'].filter((name) => last[name] > first[name]);
console.log(
  `\n${done} runs, ${failed} failed; left behind: ${left.length === 0 ? 'nothing' : left.join(', ')}; load ${load()}`,
);
process.exit(failed > 0 || left.length > 0 ? 1 : 0);
