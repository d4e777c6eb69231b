/**
 * SIGKILL for each process of the engine at each moment of a run, and then: what is left, and is it the truth?
 *
 *   lab, dockerd, containerd   no container, exit code or byte of the log is lost
 *   shim                       its exit code is lost, as in real Docker: 137; what was delivered is kept
 *   runc                       the create fails with Docker's error, and the next start works
 *
 * And nothing is left behind in any cell. `CRASH_MATRIX=whole` tries every cell; the table is printed at the end.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Footprint, footprint } from '../docker-cli/support/leaks.ts';
import { type Docker, dockerFor } from '../support/docker.ts';
import { eventually, untilAnswers } from '../support/engine.ts';
import { type OurEngine, startOurEngine } from '../support/our-engine.ts';
import { LabRun } from './lab-run.ts';
import { type Cell, chosenCells, drawMatrix, MOMENTS } from './matrix.ts';
import { runcAbove, shimAbove } from './processes.ts';

let engine: OurEngine;
let docker: Docker;
let atRest: Footprint;
const seen = new Map<Cell, string>();

/** Who is to be killed while it prints must print for a while. */
const linesOf = ({ when }: Cell): number => (when === 'printing' ? 200_000 : 2_000);
const scriptOf = (cell: Cell): string =>
  `trap go=1 USR1; echo ready; while [ -z "$go" ]; do sleep 0.05; done; i=0; while [ $i -lt ${linesOf(cell)} ]; do echo $i; i=$((i+1)); done; exit 7`;
const wholeLogOf = (cell: Cell): string =>
  `ready\n${Array.from({ length: linesOf(cell) }, (_, index) => `${index}\n`).join('')}`;

beforeAll(async () => {
  engine = await startOurEngine();
  docker = dockerFor(engine);
  await docker.ok(['run', '--rm', '--network', 'none', 'busybox', 'true']);
  // Daemons and the spare shim show no path of ours once they run; what still does is on its way, in or out.
  await eventually('rest', () => footprint(engine).processes.length === 0, 60_000);
  atRest = footprint(engine);
}, 120_000);

afterAll(async () => {
  const survived = [...seen.values()].filter((word) => word !== 'lost').length;
  console.log(`${drawMatrix(seen)}\n\nsurvived ${survived} of ${seen.size} tried`);
  const left = await docker.ok(['ps', '-aq']);
  if (left !== '') await docker(['rm', '-f', ...left.split('\n')]);
  await engine.stop();
}, 120_000);

/** Resolves when the victim is dead and, if somebody restarts it, alive again. `below`: a process of the run. */
async function kill({ victim }: Cell, below: number, run: LabRun): Promise<void> {
  if (victim === 'lab') {
    await engine.killLab();
    await engine.restartLab();
    return;
  }
  const isDaemon = victim === 'dockerd' || victim === 'containerd';
  const pid = isDaemon
    ? engine.pidOf(victim)
    : victim === 'shim'
      ? shimAbove(below)
      : runcAbove(below);
  process.kill(pid, 'SIGKILL');
  await run.goOn();
  if (!isDaemon) return;
  await eventually(`${victim} is restarted`, () => isAnother(victim, pid), 60_000);
  await untilAnswers(engine.socket);
}

function isAnother(daemon: 'dockerd' | 'containerd', old: number): boolean {
  try {
    const pid = engine.pidOf(daemon);
    return pid > 0 && pid !== old;
  } catch {
    return false;
  }
}

/** The container's id, once there is one. */
const idOf = async (name: string): Promise<string | undefined> => {
  const { code, stdout } = await docker(['inspect', '-f', '{{.Id}}', name]);
  return code === 0 ? stdout.trim() : undefined;
};

const logOf = async (name: string): Promise<string> => (await docker(['logs', name])).stdout;

/** Brings the container, which runs, to its end. */
async function finish(name: string): Promise<string> {
  await eventually('it is ready', async () => (await logOf(name)).includes('ready'), 60_000);
  await docker(['kill', '--signal', 'USR1', name]);
  return docker.ok(['wait', name]);
}

interface Reached {
  /** What the log had by then. */
  readonly log: string;
  /** A process of the run. */
  readonly pid: number;
}

/** Goes on until the moment has come. */
async function reach({ when }: Cell, name: string, run: LabRun): Promise<Reached> {
  const { gate } = MOMENTS[when];
  if (gate !== null && when !== 'exited')
    return { log: '', pid: (await run.untilHeld()).subjectPid };
  await eventually('it is ready', async () => (await logOf(name)).includes('ready'), 60_000);
  const { Pid: pid } = (await docker.inspect(name)).State;
  // Followed from before it prints: asking again and again would be slower than the container is.
  const following = docker.start(['logs', '-f', name]);
  if (when !== 'started') await docker.ok(['kill', '--signal', 'USR1', name]);
  if (when === 'exited') await run.untilHeld();
  const log = await following.until(when === 'printing' ? /^200$/m : /^ready$/m);
  following.process.kill('SIGKILL');
  return { log, pid };
}

/** What an acknowledged container must come to, whoever was killed meanwhile. Answers a word for the table. */
async function judge(cell: Cell, name: string, { log: before }: Reached): Promise<string> {
  const { victim, when } = cell;
  const wholeLog = wholeLogOf(cell);
  const { State } = await docker.inspect(name);
  const hadStarted = when === 'started' || when === 'printing' || when === 'exited';
  if (victim === 'shim' && hadStarted) {
    expect(await docker.ok(['wait', name])).toBe('137');
    const log = await logOf(name);
    expect(wholeLog.startsWith(log), 'the log is the beginning of what was printed').toBe(true);
    expect(log.length).toBeGreaterThanOrEqual(before.length);
    return 'buried';
  }
  if (hadStarted || State.Running) {
    expect(await (State.Running ? finish(name) : docker.ok(['wait', name]))).toBe('7');
    expect((await logOf(name)) === wholeLog, 'each line once and in order').toBe(true);
    return 'went on';
  }
  // It never ran: the start failed, and says so; the next one works.
  const error = await docker.ok(['inspect', '-f', '{{.State.Error}}', name]);
  if (victim === 'runc') expect(error).toContain('OCI runtime create failed: runc create failed: ');
  if (victim === 'shim') expect(error).not.toBe('');
  expect(State.Status).toMatch(/^(created|exited)$/);
  await docker.ok(['start', name]);
  expect(await finish(name)).toBe('7');
  expect((await logOf(name)).endsWith(wholeLog), 'each line once and in order').toBe(true);
  return 'failed, ok';
}

test.for(chosenCells().map((cell) => [cell.victim, MOMENTS[cell.when].name, cell] as const))(
  '%s is killed: %s',
  { timeout: 240_000 },
  async ([, , cell]) => {
    seen.set(cell, 'lost');
    const name = `${cell.victim}-${cell.when}`;
    const { gate } = MOMENTS[cell.when];
    const run = await LabRun.start(
      engine,
      `docker run --name ${name} --network none busybox sh -c '${scriptOf(cell)}'`,
      gate === null ? [] : [gate],
    );
    const reached = await reach(cell, name, run);
    await kill(cell, reached.pid, run);

    // Nobody has been told of a container yet: it may be there, or not.
    const isAcknowledged = cell.when !== 'accepted' || cell.victim === 'lab';
    if (isAcknowledged) {
      await eventually('the container is there', async () => (await idOf(name)) !== undefined);
      await eventually('it is known how it went', () => isDecided(cell, name), 60_000);
      seen.set(cell, await judge(cell, name, reached));
    } else {
      expect(await idOf(name)).toBeUndefined();
      seen.set(cell, 'refused');
    }

    await docker(['rm', '-f', name]);
    await eventually(
      'all is given back',
      () => JSON.stringify(footprint(engine)) === JSON.stringify(atRest),
      30_000,
    ).catch(() => {
      seen.set(cell, 'lost');
    });
    expect(footprint(engine)).toEqual(atRest);
  },
);

/** A start that was going on when somebody died is over: it runs, it has ended, or the error was noted. */
async function isDecided({ victim }: Cell, name: string): Promise<boolean> {
  if (victim === 'dockerd') return true;
  const { State } = await docker.inspect(name);
  return State.Running || State.Status !== 'created' || (await errorOf(name)) !== '';
}

const errorOf = (name: string): Promise<string> =>
  docker.ok(['inspect', '-f', '{{.State.Error}}', name]);
