/** The main road: from the click on Send Request to a real container's output on screen. */
import { readFileSync } from 'node:fs';
import { startTimeOf } from '../support/kernel.ts';
import { expect, test } from './live-test.ts';
import { traceOf, traces } from './trace-api.ts';

test('a click on Send Request runs a container, and what it prints appears', async ({ room }) => {
  await room.page.getByRole('radio', { name: 'Real' }).check({ force: true });
  await room.sendButton.click();

  await expect(room.output).toContainText('hello', { timeout: 20_000 });
  await expect(room.endOf('docker run --rm busybox echo hello')).toContainText('exit 0');
});

test('every pid on the stage was a real process', async ({ room, engine, docker }) => {
  await room.send('docker run --name witness busybox sh -c "sleep 3; exit 7"');

  // While the container lives, the kernel is asked about each pid that the docker socket or the lab names.
  await expect.poll(async () => (await docker(['inspect', 'witness'])).code).toBe(0);
  await expect.poll(async () => (await docker.inspect('witness')).State.Pid).toBeGreaterThan(0);
  const { Pid } = (await docker.inspect('witness')).State;
  const kernelSaid = new Map([
    [Pid, startTimeOf(Pid)],
    [engine.pidOf('dockerd'), startTimeOf(engine.pidOf('dockerd'))],
    [engine.pidOf('containerd'), startTimeOf(engine.pidOf('containerd'))],
  ]);
  const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${Pid}/status`, 'utf8'))?.[1]);
  kernelSaid.set(parent, startTimeOf(parent));
  expect(readFileSync(`/proc/${parent}/cmdline`, 'utf8')).toContain(
    'containerd-shim-engineroom-v2',
  );

  await expect(room.endOf('--name witness')).toContainText('exit 7', { timeout: 15_000 });
  await docker.ok(['rm', 'witness']);
  const summary = (await traces(engine, room.page)).find(({ title }) =>
    title.includes('--name witness'),
  );
  const { events } = await traceOf(engine, summary?.traceId ?? '', room.page);
  const processes = events.filter((event) => event.type === 'process');

  // What the trace says of these processes is what the kernel said.
  for (const { process } of processes) {
    const startTime = kernelSaid.get(process.pid);
    if (startTime !== undefined && process.startTime !== undefined)
      expect(process.startTime, process.name).toBe(startTime);
  }
  const pidsOf = (actor: string) =>
    new Set(processes.filter((event) => event.actor === actor).map(({ process }) => process.pid));
  expect(pidsOf('container')).toContain(Pid);
  expect(pidsOf('shim')).toContain(parent);

  // The stage shows these pids and no others.
  await room.press('End');
  const onStage = [...(await room.stage.innerText()).matchAll(/pid (\d+)/g)].map(([, pid]) =>
    Number(pid),
  );
  expect(onStage.length).toBeGreaterThanOrEqual(4);
  const known = new Set(
    events.flatMap((event) => [
      event.emitter.pid,
      ...(event.type === 'process' ? [event.process.pid] : []),
    ]),
  );
  for (const pid of onStage) expect([...known, ...kernelSaid.keys()]).toContain(pid);
  expect(onStage).toContain(Pid);
  expect(onStage).toContain(engine.pidOf('dockerd'));
  expect(onStage).toContain(engine.pidOf('containerd'));
});

test('the run is one causal trace that crosses every hop', async ({ room, engine }) => {
  await room.send('docker run --rm busybox true');
  await expect(room.endOf('busybox true')).toContainText('exit 0');

  const summary = (await traces(engine, room.page)).find(({ title }) =>
    title.includes('busybox true'),
  );
  const { events } = await traceOf(engine, summary?.traceId ?? '', room.page);

  const ids = new Set(events.map(({ id }) => id));
  const roots = events.filter(({ cause }) => cause === null || !ids.has(cause));
  expect(roots.map(({ id }) => id)).toHaveLength(1);
  expect(new Set(events.map(({ traceId }) => traceId)).size).toBe(1);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  const emitters = new Set(events.map(({ emitter }) => emitter.actor));
  for (const actor of ['dockerd', 'containerd', 'shim'] as const) expect(emitters).toContain(actor);
  const protocols = new Set(
    events.flatMap((event) => (event.type === 'message' ? [event.protocol] : [])),
  );
  for (const protocol of ['http', 'grpc', 'ttrpc'] as const) expect(protocols).toContain(protocol);
  const calls = new Set(events.flatMap((event) => (event.type === 'syscall' ? [event.name] : [])));
  for (const name of ['clone3', 'mount', 'pivot_root', 'execve']) expect(calls).toContain(name);
  const chapters = events.filter(({ level }) => level === 'chapter').length;
  expect(chapters).toBeGreaterThanOrEqual(6);
  expect(chapters).toBeLessThanOrEqual(12);
  expect(events.filter(({ type }) => type === 'dropped')).toEqual([]);
});

test('a run of any other client of the socket appears on the page', async ({ room, docker }) => {
  await docker.ok(['run', '--rm', 'busybox', 'echo', 'from a terminal']);

  const run = room.runs.getByRole('listitem').filter({ hasText: 'from a terminal' });
  await expect(run).toContainText('another client');
  // Nobody can ask the kernel for the exit code of a process that is not their child.
  await expect(run).toContainText('ended');
  await run.getByRole('button').first().click();
  await room.toTheEndOf('from a terminal');
  await expect(room.output).toContainText('from a terminal');
});

test('a run that fails is told as a run: the reason is on screen, and the next request works', async ({
  room,
}) => {
  await room.send('docker run --rm busybox nosuchprogram');
  await expect(room.endOf('nosuchprogram')).toContainText('exit 127');
  await room.press('End');

  await room.page.getByRole('tab', { name: 'Events' }).click();
  await expect(room.page.getByRole('listbox')).toContainText(/executable file not found|127/);

  await room.send('docker run --rm busybox echo recovered');
  await room.toTheEndOf('echo recovered');
  await expect(room.output).toContainText('recovered');
});

test('stdout and stderr are told apart on the page', async ({ room }) => {
  await room.send("docker run --rm busybox sh -c 'echo out; echo err >&2'");

  await room.toTheEndOf('echo out');
  await expect(room.output.locator('[data-stream=stdout]')).toHaveText(/out/);
  await expect(room.output.locator('[data-stream=stderr]')).toHaveText(/err/);
});
