/**
 * `npm run reset`: removes everything that the engine made, and nothing else. What is the engine's is told by its own
 * places: who listens on sockets below the exec root, what is mounted below the two roots, what runs in its cgroups.
 *
 *   npm run reset -- [--yes] [--data-root DIR] [--exec-root DIR] [--cgroup-parent PATH]
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    yes: { type: 'boolean', short: 'y' },
    'data-root': { type: 'string' },
    'exec-root': { type: 'string' },
    'cgroup-parent': { type: 'string' },
  },
});
const isRoot = process.getuid?.() === 0;
const home = process.env.HOME ?? '/root';
const word = (name, standard) =>
  values[name] ?? process.env[`ENGINE_ROOM_${name.toUpperCase().replace('-', '_')}`] ?? standard;
const dataRoot = word(
  'data-root',
  isRoot ? '/var/lib/engine-room' : `${home}/.local/share/engine-room`,
);
const execRoot = word(
  'exec-root',
  isRoot ? '/run/engine-room' : `${process.env.XDG_RUNTIME_DIR ?? `${home}/.cache`}/engine-room`,
);
const cgroupParent = word('cgroup-parent', '/engine-room');

/** A slip of the keyboard must not cost a home directory: only folders that the engine has filled are taken. */
const SIGNS = {
  exec: ['lab', 'trace.sock', 'containerd.sock', 'docker.sock', 'containerd'],
  data: ['traces', 'docker', 'containerd'],
};
function check(path, signs) {
  const depth = path.split('/').filter(Boolean).length;
  if (!path.startsWith('/') || path.includes('/../') || depth < 2)
    throw new Error(`${path} is not a folder to remove`);
  const names = existsSync(path) ? readdirSync(path) : [];
  if (names.length > 0 && !signs.some((sign) => names.includes(sign)))
    throw new Error(`${path} does not look like Engine Room's: left alone`);
}

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
const list = (path) => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};
const isBelow = (path, root) => path === root || path.startsWith(`${root}/`);
const nameOf = (pid) =>
  read(`/proc/${pid}/cmdline`).split('\0').join(' ').trim() || read(`/proc/${pid}/comm`).trim();
const startTimeOf = (pid) => read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[19];
const isAlive = ({ pid, startTime }) => {
  const stat = read(`/proc/${pid}/stat`);
  return stat !== '' && startTimeOf(pid) === startTime && !/\) [ZX] /.test(stat);
};

/** The lab, the daemons and the shims: each listens on a socket below the exec root. proc_pid_net(5) */
function listeners() {
  const inodes = new Set(
    read('/proc/net/unix')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(
        ([, , , flags, , , , path]) =>
          path && isBelow(path, execRoot) && (Number.parseInt(flags, 16) & 0x10000) !== 0,
      )
      .map((fields) => `socket:[${fields[6]}]`),
  );
  if (inodes.size === 0) return [];
  return list('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) =>
      list(`/proc/${pid}/fd`).some((fd) => {
        try {
          return inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
        } catch {
          return false;
        }
      }),
    )
    .map(Number);
}

/** The engine's folder in each cgroup hierarchy. */
function cgroupFolders() {
  return read('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => join(line.split(' ')[4], cgroupParent))
    .filter((path) => cgroupParent.length > 1 && existsSync(path));
}
/** Children before parents. */
const foldersBelow = (path) => [
  ...list(path)
    .filter((name) => existsSync(join(path, name, 'cgroup.procs')))
    .flatMap((name) => foldersBelow(join(path, name))),
  path,
];

const mounts = () =>
  read('/proc/self/mountinfo')
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, digits) =>
        String.fromCharCode(Number.parseInt(digits, 8)),
      ),
    )
    .filter((path) => isBelow(path, execRoot) || isBelow(path, dataRoot))
    .reverse();

async function endAll(pids, signal, patienceMs) {
  const processes = pids.map((pid) => ({ pid, startTime: startTimeOf(pid) }));
  for (const { pid } of processes.filter(isAlive)) {
    try {
      process.kill(pid, signal);
    } catch {
      // It went by itself.
    }
  }
  const until = Date.now() + patienceMs;
  // These are nobody's children here, and the kernel tells only parents (or pidfds, which Node has not) of an exit.
  while (processes.some(isAlive) && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 20));
  return processes.filter(isAlive).map(({ pid }) => pid);
}

try {
  check(execRoot, SIGNS.exec);
  check(dataRoot, SIGNS.data);
} catch (error) {
  console.error(`reset: ${error.message}`);
  process.exit(1);
}
const folders = cgroupFolders().flatMap(foldersBelow);
const inContainers = () => [
  ...new Set(
    folders.flatMap((folder) =>
      read(join(folder, 'cgroup.procs')).split('\n').filter(Boolean).map(Number),
    ),
  ),
];

/** What a killed dockerd has left among the interfaces of the host; the bridges carry its data root's mark. */
const dockerRoot = join(dataRoot, 'docker');
const mark = `engine-room-${createHash('sha256').update(dockerRoot).digest('hex').slice(0, 12)}`;
const bridges = () =>
  list('/sys/class/net').filter((name) => read(`/sys/class/net/${name}/ifalias`).trim() === mark);

function removeNetworks() {
  const dockerd = fileURLToPath(new URL('../apps/engine/bin/dockerd', import.meta.url));
  try {
    execFileSync(dockerd, ['--data-root', dockerRoot, '--remove-networks'], { stdio: 'pipe' });
  } catch (error) {
    console.error(`Bridges and packet rules are left: ${String(error.stderr ?? error).trim()}`);
  }
}

const plan = [
  ...listeners().map((pid) => `end     process ${pid}  ${nameOf(pid).slice(0, 90)}`),
  ...inContainers().map(
    (pid) => `kill    process ${pid}  ${nameOf(pid).slice(0, 90)} (in a container)`,
  ),
  ...mounts().map((path) => `unmount ${path}`),
  ...folders.map((path) => `remove  cgroup ${path}`),
  ...bridges().map((name) => `remove  network interface ${name} and its packet rules`),
  ...[execRoot, dataRoot].filter(existsSync).map((path) => `remove  ${path}`),
];
if (plan.length === 0) {
  console.log('Nothing of Engine Room is on this machine.');
  process.exit(0);
}
console.log(`${plan.join('\n')}\n`);
if (!values.yes) {
  if (!process.stdin.isTTY) {
    console.error('Say --yes to do it.');
    process.exit(1);
  }
  const question = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await question.question(
    'Do it? Images, containers and recorded traces will be gone. [y/N] ',
  );
  question.close();
  if (!/^y(es)?$/i.test(answer.trim())) process.exit(1);
}

// The lab ends its daemons in order, and dockerd its containers; what is left after that is ended by force.
let left = await endAll(listeners(), 'SIGTERM', 25_000);
left = await endAll([...left, ...listeners(), ...inContainers()], 'SIGKILL', 5_000);
left = await endAll(inContainers(), 'SIGKILL', 5_000);
for (const path of mounts()) execFileSync('umount', ['--lazy', path]);
for (const folder of folders) {
  if (existsSync(folder)) rmdirSync(folder);
}
if (isRoot && existsSync(dockerRoot)) removeNetworks();
if (mounts().length > 0)
  throw new Error(`still mounted, so nothing is removed: ${mounts().join(' ')}`);
for (const path of [execRoot, dataRoot]) rmSync(path, { recursive: true, force: true });
console.log('Everything of Engine Room is removed from this machine.');
