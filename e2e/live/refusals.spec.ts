/** What the page may not launch, and what it says then; rubbish on the WebSocket; requests without a right. */
import { expect, test } from './live-test.ts';
import { traces } from './trace-api.ts';

for (const [line, reason] of [
  ['docker run --privileged busybox true', /privileged/],
  ['docker run -v /:/host busybox ls /host', /mount|-v|volume/i],
  ['docker run --pid host busybox ps', /pid|namespace/i],
  ['docker run --rm busybox echo $(id)', /\$|shell/i],
  ["docker run --rm busybox echo 'half", /quote|'/i],
  ['rm -rf /', /docker/i],
] as const) {
  test(`"${line}" is refused with the reason, and nothing runs`, async ({ room, engine }) => {
    const before = (await traces(engine, room.page)).length;

    await room.send(line);

    await expect(room.page.getByRole('region', { name: 'Request' })).toContainText(reason);
    await expect(room.sendButton).toHaveText('Send Request');
    expect((await traces(engine, room.page)).length).toBe(before);
  });
}

test('after a refusal the next request works', async ({ room }) => {
  await room.send('docker run --privileged busybox true');

  await room.send('docker run --rm busybox echo allowed');

  await room.toTheEndOf('echo allowed');

  await expect(room.output).toContainText('allowed');
});

test('a broken frame on the WebSocket closes that line alone', async ({ room, engine }) => {
  const token = new URLSearchParams(new URL(engine.url).hash.slice(1)).get('token') ?? '';
  const closed = await room.page.evaluate(
    async ([url, word]) =>
      new Promise<number>((resolve) => {
        const socket = new WebSocket(String(url), ['engine-room.v1', `token.${word}`]);
        socket.addEventListener('open', () => socket.send('{"type": "resume", "have": [}'));
        socket.addEventListener('close', ({ code }) => resolve(code));
      }),
    [new URL('/api/stream', engine.url).href.replace(/^http/, 'ws').replace(/#.*/, ''), token],
  );

  expect([1002, 1003, 1007, 1008]).toContain(closed);
  await room.send('docker run --rm busybox echo still live');
  await room.toTheEndOf('echo still live');
  await expect(room.output).toContainText('still live');
});

test('without the token there is nothing, and other hosts and origins are turned away', async ({
  engine,
}) => {
  const { port } = new URL(engine.url);
  const at = (path: string) => `http://127.0.0.1:${port}${path}`;
  const token = new URLSearchParams(new URL(engine.url).hash.slice(1)).get('token') ?? '';
  const authorization = `Bearer ${token}`;

  for (const path of ['/api/traces', '/api/engine'])
    expect((await fetch(at(path))).status, path).toBe(401);
  expect(
    (await fetch(at('/api/traces'), { headers: { authorization: 'Bearer wrong' } })).status,
  ).toBe(401);
  expect((await fetch(at('/api/traces'), { headers: { authorization } })).status).toBe(200);
  expect(
    (await fetch(at('/api/traces'), { headers: { authorization, origin: 'http://evil.example' } }))
      .status,
  ).toBe(403);
});
