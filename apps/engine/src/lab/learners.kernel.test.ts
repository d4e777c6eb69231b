/** Two browsers on one engine: one has a container, a volume and a run, the other has the token and wants them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TraceSummary } from '../protocol/trace/stream.ts';
import { aPlace, clearPlace, LabProcess, nothingStays } from './testing/lab-process.ts';

const place = aPlace();
let lab: LabProcess;
let ada = '';
let bob = '';
let run: TraceSummary;

beforeAll(async () => {
  lab = await LabProcess.start(place);
  ada = await lab.newBrowser();
  bob = await lab.newBrowser();
  lab.cookie = ada;
  await lab.run('docker volume create adas');
  run = await lab.run(
    "docker run -d --name adas -v adas:/data --network none busybox sh -c 'trap exit TERM; while :; do sleep 0.1; done'",
  );
  expect(run.exitCode).toBe(0);
  lab.cookie = bob;
}, 60_000);

afterAll(async () => {
  await clearPlace(place);
}, 60_000);

const printed = async (command: string): Promise<string> =>
  (await lab.events((await lab.run(command)).traceId))
    .map((event) =>
      event.type === 'spanEvent' ? String(event.attributes['engineroom.client.text'] ?? '') : '',
    )
    .join('');

test.each([
  'docker stop adas',
  'docker rm -f adas',
  'docker logs adas',
  'docker inspect adas',
  'docker exec adas id',
  'docker run --rm --network container:adas busybox true',
  'docker run --rm -v adas:/data busybox true',
  'docker volume rm adas',
])('%s: not from the other browser', async (command) => {
  expect((await lab.api('/run', { command })).status).toBe(403);
});

test('no list of the other browser names them', async () => {
  expect(await printed('docker ps -a')).not.toContain('adas');
  expect(await printed('docker volume ls')).not.toContain('adas');
  const { json } = await lab.api('/traces');
  expect(JSON.stringify(json)).not.toContain(run.traceId);
});

test('its run cannot be read, stopped, held or asked about', async () => {
  const of = `/runs/${run.traceId}`;
  expect((await lab.api(`/traces/${run.traceId}`)).status).toBe(404);
  expect((await lab.api(`${of}/stop`, {})).status).toBe(404);
  expect((await lab.api(`${of}/gates`)).status).toBe(404);
  expect((await lab.api(`${of}/continue`, {})).status).toBe(404);
  const { json } = await lab.api('/checks', {
    predicates: [
      { fact: 'trace.has', run: 'hers', match: 'docker run', equals: true },
      { fact: 'container.exists', of: 'container adas', equals: true },
    ],
    runs: { hers: run.traceId },
    answers: {},
  });
  const { observations } = json as { observations: { holds: boolean; observed: unknown }[] };
  expect(observations.map(({ holds, observed }) => [holds, observed])).toEqual([
    [false, null],
    [false, false],
  ]);
});

test('its container cannot be killed; and when a daemon is, nothing of it is told', async () => {
  const [container] = run.containerIds;
  for (const fault of ['kill-container', 'kill-shim']) {
    const { status } = await lab.api('/faults', { fault, container });
    expect([403, 409]).toContain(status);
  }
  const seen = await lab.frame(
    (frame) => {
      const text = JSON.stringify(frame);
      expect(text).not.toContain(container);
      return text.includes('"SIGKILL"') ? frame : undefined;
    },
    async () => {
      expect((await lab.api('/faults', { fault: 'kill-dockerd' })).status).toBe(202);
    },
  );
  expect(JSON.stringify(seen)).not.toContain(run.traceId);
});

test('what was somebody’s is that somebody’s when the lab comes back', async () => {
  await lab.signal('SIGTERM');
  lab = await LabProcess.start(place);
  // The port is another one, and with it the cookie's name; who is meant is the word.
  const here = `engine-room-${new URL(lab.base).port}=`;
  lab.cookie = here + bob.split('=')[1];
  expect((await lab.api(`/traces/${run.traceId}`)).status).toBe(404);
  lab.cookie = here + ada.split('=')[1];
  expect(await lab.events(run.traceId)).not.toEqual([]);
  expect(await lab.signal('SIGTERM')).toBe(0);
  await nothingStays(place);
});
