/** containerd without Docker: `ctr run` is a run of its own, and dockerd is not in its path. */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SequencedEvent } from '../../apps/engine/src/protocol/trace/event.ts';
import type { OurEngine } from '../support/our-engine.ts';
import { expect, test } from './live-test.ts';
import { traceOf, traces } from './trace-api.ts';

const run = promisify(execFile);
const RUNTIME = 'io.containerd.engineroom.v2';
const IMAGE = 'docker.io/library/busybox:latest';

/** As in a terminal: an address, and a namespace that is not dockerd's. */
const ctr = (engine: OurEngine, ...args: readonly string[]) =>
  run('ctr', [...args], {
    env: { ...process.env, CONTAINERD_ADDRESS: join(engine.execRoot, 'containerd.sock') },
  });

const eventsOf = async (engine: OurEngine, words: string): Promise<SequencedEvent[]> => {
  const find = async () => (await traces(engine)).find(({ title }) => title.includes(words));
  await expect.poll(async () => (await find())?.state).toBe('ended');
  return (await traceOf(engine, (await find())?.traceId ?? '')).events;
};

/** What it asked for, in its order. */
const askedBy = (actor: string, events: readonly SequencedEvent[]): readonly string[] =>
  events.flatMap((event) =>
    event.type === 'message' && event.direction === 'request' && event.from.actor === actor
      ? [event.summary]
      : [],
  );

test('ctr run goes from ctr to containerd, shim and runc, and dockerd stays dark', async ({
  room,
  engine,
  docker,
}) => {
  const archive = join(engine.root, 'busybox.tar');
  await docker.ok(['save', '--output', archive, 'busybox']);
  await ctr(engine, 'images', 'import', archive);
  rmSync(archive);

  // A layer arrives, is verified, unpacked and stacked, and all of it is told.
  const imported = await eventsOf(engine, 'ctr images import');
  const asked = askedBy('client', imported);
  for (const call of ['Content/Write', 'Snapshots/Prepare', 'Diff/Apply', 'Snapshots/Commit'])
    expect(asked).toContain(call);
  const moments = imported.filter((event) => event.type === 'spanEvent');
  expect(moments.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['blob arriving', 'blob verified', 'overlay layers', 'layer applied']),
  );
  const spans = imported.filter((event) => event.type === 'spanStarted');
  expect(spans.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['snapshot prepare', 'snapshot commit']),
  );

  const argv = ['run', '--rm', '--runtime', RUNTIME, IMAGE, 'no-docker', 'echo', 'hi'];
  expect((await ctr(engine, ...argv)).stdout).toBe('hi\n');

  const events = await eventsOf(engine, 'ctr run');
  await room.lineOf('ctr run').getByRole('button').first().click();
  await room.toTheEndOf('ctr run');
  const node = (name: string | RegExp) => room.stage.getByRole('button', { name });
  await expect(node('dockerd not in the path')).toBeVisible();
  await expect(node('docker CLI not in the path')).toBeVisible();
  await expect(node(/ctr pid \d+ ended/)).toBeVisible();
  await expect(node(/shim pid \d+/)).toBeVisible();
  await expect(room.output).toContainText('ctr reads it itself');

  // The pile is taken away with the mount; its folders stay until ctr removes the writable one.
  const folders = room.stage.getByRole('list', { name: 'Layers of the image' });
  await expect(folders.getByRole('listitem')).toHaveText([/^upper\s*\d+$/, /^lower\s*\d+$/]);

  // What the trace tells is what the kernel and ctr know.
  const born = events.find((event) => event.type === 'process' && event.actor === 'client');
  expect(born).toMatchObject({
    change: 'exec',
    process: { name: 'ctr', argv: ['ctr', ...argv] },
    attributes: { 'process.executable.path': expect.stringMatching(/\/ctr$/) as unknown },
  });
  expect(new Set(events.map(({ emitter }) => emitter.actor))).toEqual(
    new Set(['containerd', 'shim']),
  );
  for (const call of ['Snapshots/Prepare', 'Containers/Create', 'Tasks/Create', 'Tasks/Start'])
    expect(askedBy('client', events)).toContain(call);
  expect(askedBy('containerd', events)).toContain('Task/Create');
  expect(askedBy('dockerd', events)).toEqual([]);
  // One tree: everything goes back to the command.
  const ids = new Set(events.map(({ id }) => id));
  const roots = events.filter(({ cause }) => cause === null || !ids.has(cause));
  expect(roots.map(({ id }) => id)).toEqual([born?.id]);
});
