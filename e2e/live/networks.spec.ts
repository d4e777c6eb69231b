/** A published port answers a browser, and the trace shows the way: the cable, the address, the port, the request. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from './live-test.ts';
import { traceOf, traces } from './trace-api.ts';

const NGINX = fileURLToPath(new URL('../../apps/engine/dist/images/nginx.tar', import.meta.url));

test('docker run -d -p 8080:80 nginx answers a browser, and its trace tells how', async ({
  room,
  engine,
  docker,
  context,
}) => {
  test.skip(!existsSync(NGINX), 'this system has no package archive to take nginx from');
  await room.send('docker run -d -p 127.0.0.1:18480:80 nginx');
  await expect(room.endOf('18480:80 nginx')).toContainText('exit 0');

  const browser = await context.newPage();
  await browser.goto('http://127.0.0.1:18480/');
  await expect(browser.getByRole('heading')).toHaveText('nginx answers from a container');
  await browser.close();

  const address = await docker.ok(['ps', '--format', '{{.Ports}}', '--filter', 'ancestor=nginx']);
  expect(address).toContain('127.0.0.1:18480->80/tcp');
  const summary = (await traces(engine, room.page)).find(({ title }) =>
    title.includes('18480:80 nginx'),
  );
  await expect
    .poll(async () => {
      const { events } = await traceOf(engine, summary?.traceId ?? '', room.page);
      return events.flatMap((event) =>
        event.type === 'spanEvent' && event.name.includes('published port') ? [event.level] : [],
      );
    })
    .toContain('step');
  const { events } = await traceOf(engine, summary?.traceId ?? '', room.page);
  const ids = new Set(events.map(({ id }) => id));
  const network = events.flatMap((event) =>
    event.type === 'syscall' && event.caller.actor === 'dockerd' ? [event] : [],
  );
  expect(network.map(({ detail }) => /RTM_NEW(LINK|ADDR|ROUTE)/.exec(detail)?.[0])).toEqual(
    expect.arrayContaining(['RTM_NEWLINK', 'RTM_NEWADDR', 'RTM_NEWROUTE']),
  );
  expect(network.filter(({ name }) => name === 'bind')).toHaveLength(1);
  for (const event of network) expect(ids).toContain(event.cause);

  await room.toTheEndOf('18480:80 nginx');
  await expect(room.page.getByText(/^eth0/).first()).toBeVisible();
  await docker.ok(['rm', '-f', ...(await docker.ok(['ps', '-aq'])).split('\n')]);
});
