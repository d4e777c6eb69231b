/** `docker exec` from the page: one more process in the learner's own container, step by step. */
import { expect, test } from './live-test.ts';
import { traceOf, traces } from './trace-api.ts';

test('a process joins a running container, prints, and ends with its own code', async ({
  room,
  engine,
  docker,
}) => {
  await room.page.getByRole('radio', { name: 'Real' }).check({ force: true });
  await room.send('docker run -d --name joined busybox sleep 100');
  await expect(room.endOf('--name joined')).toContainText('exit 0', { timeout: 30_000 });

  await room.send('docker exec joined sh -c "echo from inside; exit 4"');

  await expect(room.endOf('docker exec joined')).toContainText('exit 4', { timeout: 30_000 });
  await expect(room.output).toContainText('from inside');
  const summary = (await traces(engine, room.page)).find(({ title }) =>
    title.includes('docker exec joined'),
  );
  const { events } = await traceOf(engine, summary?.traceId ?? '', room.page);
  const summaries = events.flatMap((event) => (event.type === 'message' ? [event.summary] : []));
  expect(summaries).toEqual(expect.arrayContaining(['Tasks/Exec', 'Task/Exec', '/tasks/exit']));
  const exits = events.flatMap((event) =>
    event.type === 'process' && event.change === 'exit' && event.actor === 'container'
      ? [event.exit?.code]
      : [],
  );
  expect(exits).toEqual([4]);
  await docker.ok(['rm', '-f', 'joined']);
});

test('a container that the page did not make is left alone', async ({ room, docker }) => {
  await docker.ok(['run', '-d', '--name', 'others', 'busybox', 'sleep', '100']);

  await room.send('docker exec others id');

  await expect(room.page.getByText('was not made from this page')).toBeVisible();
  await docker.ok(['rm', '-f', 'others']);
});
