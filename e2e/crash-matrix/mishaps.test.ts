/**
 * What befalls a run without anybody being killed: who listens goes away, the clock is set back. (A full disk has a
 * daemon of its own to fill: `e2e/docker-cli/disk-full.test.ts`.) Again nothing may be lost and nothing left behind.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Footprint, footprint } from '../docker-cli/support/leaks.ts';
import { type Docker, dockerFor } from '../support/docker.ts';
import { eventually, untilAnswers } from '../support/engine.ts';
import { type OurEngine, startOurEngine } from '../support/our-engine.ts';
import { LabRun } from './lab-run.ts';
import { SettableClock } from './settable-clock.ts';

const LINES = 30_000;
const SCRIPT = `i=0; while [ $i -lt ${LINES} ]; do echo $i; i=$((i+1)); done; exit 7`;
const WHOLE_LOG = Array.from({ length: LINES }, (_, index) => `${index}\n`).join('');

const clock = new SettableClock();
let engine: OurEngine;
let docker: Docker;
let atRest: Footprint;
const seen = new Map<string, string>();

beforeAll(async () => {
  engine = await startOurEngine([], clock.below);
  docker = dockerFor(engine);
  await docker.ok(['run', '--rm', '--network', 'none', 'busybox', 'true']);
  await eventually('rest', () => footprint(engine).processes.length === 0, 60_000);
  atRest = footprint(engine);
}, 120_000);

afterAll(async () => {
  const words = [...seen].map(([name, word]) => `${name.padEnd(44)} ${word}`);
  const survived = [...seen.values()].filter((word) => word !== 'lost').length;
  console.log(`${words.join('\n')}\n\nsurvived ${survived} of ${seen.size} tried`);
  await engine.stop();
  clock.remove();
}, 120_000);

/** Exit code and log are the container's, each line once and in order, and then all is given back. */
const isWhole = async (cell: string, name: string): Promise<void> => {
  expect(await docker.ok(['wait', name])).toBe('7');
  expect((await docker(['logs', name])).stdout === WHOLE_LOG, 'each line once, in order').toBe(
    true,
  );
  await docker.ok(['rm', '-f', name]);
  await eventually(
    'all is given back',
    () => JSON.stringify(footprint(engine)) === JSON.stringify(atRest),
    30_000,
  );
  seen.set(cell, 'went on');
};

const running = (name: string) =>
  docker.start(['run', '--name', name, '--network', 'none', 'busybox', 'sh', '-c', SCRIPT]);

test.for([
  [
    'the reader of docker run closes its end',
    (run: ReturnType<typeof running>) => run.process.stdout.destroy(),
  ],
  [
    'docker run is killed while it reads',
    (run: ReturnType<typeof running>) => run.process.kill('SIGKILL'),
  ],
] as const)('a broken pipe: %s', { timeout: 120_000 }, async ([cell, breakPipe]) => {
  seen.set(cell, 'lost');
  const run = running('unheard');
  await run.until(/^200$/m);
  breakPipe(run);
  await isWhole(cell, 'unheard');
});

test('a broken pipe: docker logs -f goes away, and the next reader gets everything', async () => {
  const cell = 'a reader of docker logs -f goes away';
  seen.set(cell, 'lost');
  void running('read').finished;
  const format = ['inspect', '-f', '{{.State.Status}}', 'read'];
  // Whoever follows the log of a container that has not begun is told that there is no more.
  const hasBegun = async () => /running|exited/.test((await docker(format)).stdout);
  await eventually('it has begun', hasBegun);
  const reader = docker.start(['logs', '-f', 'read']);
  await reader.until(/^200$/m);
  reader.process.stdout.destroy();
  await isWhole(cell, 'read');
});

test.for([
  ['request-accepted', 'create asked, nothing done'],
  ['rootfs-mounted', 'root filesystem mounted'],
  ['created-not-started', 'created, not started'],
  ['exited-not-reaped', 'exited, not reaped'],
] as const)('the clock is set back an hour: %s', { timeout: 120_000 }, async ([gate, moment]) => {
  const cell = `clock set back: ${moment}`;
  seen.set(cell, 'lost');
  clock.set(0);
  const command = `docker run --name early --network none busybox sh -c '${SCRIPT}'`;
  const run = await LabRun.start(engine, command, [gate]);
  await run.untilHeld();
  clock.set(-1);
  await run.goOn();
  await eventually('it is there', async () => (await docker(['inspect', 'early'])).code === 0);
  const ended = async () => (await docker.inspect('early')).State.Status === 'exited';
  await eventually('it has ended', ended, 60_000);
  // It has really been set: this end is an hour before the beginning of the test.
  const { FinishedAt } = (await docker.inspect('early')).State;
  expect(Date.now() - Date.parse(FinishedAt)).toBeGreaterThan(3_500_000);
  await isWhole(cell, 'early');
});

test('the clock is set back and dockerd dies: it finds what runs, and knows its end', async () => {
  const cell = 'clock set back: dockerd is killed as well';
  seen.set(cell, 'lost');
  clock.set(0);
  const script = `trap go=1 USR1; echo ready; while [ -z "$go" ]; do sleep 0.05; done; ${SCRIPT}`;
  await docker.ok([
    'run',
    '-d',
    '--name',
    'old',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    script,
  ]);
  clock.set(-24);
  const before = engine.pidOf('dockerd');
  process.kill(before, 'SIGKILL');
  const isAnother = () => {
    try {
      return engine.pidOf('dockerd') !== before;
    } catch {
      return false;
    }
  };
  await eventually('dockerd is back', isAnother, 60_000);
  await untilAnswers(engine.socket);
  expect((await docker.inspect('old')).State.Running).toBe(true);
  await eventually('ready', async () => (await docker(['logs', 'old'])).stdout === 'ready\n');
  await docker.ok(['kill', '-s', 'USR1', 'old']);
  expect(await docker.ok(['wait', 'old'])).toBe('7');
  expect((await docker(['logs', 'old'])).stdout === `ready\n${WHOLE_LOG}`).toBe(true);
  await docker.ok(['rm', 'old']);
  expect(await docker.ok(['run', '--rm', '--network', 'none', 'busybox', 'echo', 'on'])).toBe('on');
  seen.set(cell, 'went on');
}, 120_000);
