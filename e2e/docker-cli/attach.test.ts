/** Attaching over a WebSocket, and leaving a terminal by its keys. */
import { expect, test } from 'vitest';
import { ask } from './support/ask.ts';
import { aName, docker } from './support/suite.ts';
import { openWebSocket } from './support/websocket.ts';

const attachPath = (name: string, version = '1.41'): string =>
  `/v${version}/containers/${name}/attach/ws?stream=1&stdin=1&stdout=1&stderr=1`;

const echoer = async (...flags: string[]): Promise<string> => {
  const name = aName();
  const script =
    'echo ready; while read line; do echo "got $line"; [ "$line" = end ] && exit 3; done';
  await docker.ok([
    ...['run', '-d', '-i', '--network', 'none', '--name', name, ...flags],
    ...['busybox', 'sh', '-c', script],
  ]);
  return name;
};

test('a WebSocket carries input and output as binary messages, and ends with the container', async () => {
  const name = await echoer();

  const socket = await openWebSocket(attachPath(name));
  if (typeof socket === 'number') throw new Error(`answered ${socket}`);
  socket.send('hello\n');
  await socket.until(/got hello\n/);
  socket.send('end\n');
  const all = await socket.until(/got end\n/);
  await socket.closed;

  expect(all).toBe('got hello\ngot end\n');
  expect(new Set(socket.opcodes.filter((opcode) => opcode < 8))).toEqual(new Set([2]));
  expect(await docker.ok(['wait', name])).toBe('3');
});

test('an old client gets text', async () => {
  const name = await echoer();

  const socket = await openWebSocket(attachPath(name, '1.27'));
  if (typeof socket === 'number') throw new Error(`answered ${socket}`);
  socket.send('end\n');
  await socket.until(/got end\n/);

  expect(socket.opcodes[0]).toBe(1);
});

test('who asks for no WebSocket gets none, and nobody’s container is not found', async () => {
  const name = await echoer();

  expect((await ask('GET', attachPath(name))).status).toBe(400);
  expect(await openWebSocket(attachPath('nosuch'))).toBe(404);
});

test('--detach-keys leaves the terminal, and the container goes on', async () => {
  const name = await echoer('-t');

  const attached = docker.onTerminal(['attach', '--detach-keys', 'ctrl-x,y', name]);
  attached.process.stdin.write('one\n');
  await attached.until(/got one/);
  attached.process.stdin.write('\x18');
  attached.process.stdin.write('y');
  const { stdout } = await attached.finished;

  expect(stdout).toContain('read escape sequence');
  expect(await docker.ok(['inspect', '--format', '{{.State.Running}}', name])).toBe('true');
});

test('the daemon itself knows the keys: a client that does not look for them can leave as well', async () => {
  const name = await echoer('-t');
  const since = Math.floor(Date.now() / 1000) - 1;

  const socket = await openWebSocket(`${attachPath(name)}&detachKeys=ctrl-x,y`);
  if (typeof socket === 'number') throw new Error(`answered ${socket}`);
  socket.send('two\n');
  await socket.until(/got two/);
  socket.send('\x18');
  socket.send('y');
  await socket.closed;

  const events = await docker.ok([
    ...['events', '--since', String(since), '--until', String(Math.ceil(Date.now() / 1000) + 1)],
    ...['--filter', `container=${name}`, '--format', '{{.Action}}'],
  ]);
  expect(events.split('\n')).toEqual(expect.arrayContaining(['attach', 'detach']));
  expect(await docker.ok(['inspect', '--format', '{{.State.Running}}', name])).toBe('true');
});

test('keys that are none are refused', async () => {
  const name = await echoer('-t');

  const { status, headers, bytes } = await ask(
    'POST',
    `/v1.41/containers/${name}/attach?detachKeys=F1`,
  );

  expect(status).toBe(400);
  expect(headers['content-type']).toBe('application/vnd.docker.raw-stream');
  expect(bytes.toString()).toBe('Invalid detach keys (F1) provided\r\n');

  const nobody = await ask('POST', '/v1.41/containers/nosuch/attach');

  expect(nobody.status).toBe(404);
  expect(nobody.bytes.toString()).toBe('No such container: nosuch\r\n');
});
