/** How a shim that was given no ttrpc socket tells an event: it runs its containerd's own program for it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Events } from '../protocol/gen/containerd/events_pb.ts';
import { TaskExitSchema } from '../protocol/gen/containerd/task-events_pb.ts';
import { BINARY, buildDaemons, TestDaemon } from './testing/daemon.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  buildDaemons();
  daemon = new TestDaemon();
  await daemon.start({ ENGINE_ROOM_NO_SPARE: '1' });
}, 60_000);
afterAll(() => daemon.dispose());

const publish = async (address: string, stdin: Uint8Array) => {
  const args = ['--address', address, 'publish', '--topic', '/tasks/exit', '--namespace', 'shop'];
  const child = spawn(BINARY, args, { stdio: ['pipe', 'inherit', 'pipe'] });
  child.stdin.end(stdin);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
};

const exit = toBinary(
  AnySchema,
  create(AnySchema, {
    typeUrl: 'containerd.events.TaskExit',
    value: toBinary(TaskExitSchema, create(TaskExitSchema, { containerId: 'c1', exitStatus: 3 })),
  }),
);

test('an event on standard input reaches who subscribes, in its namespace', async () => {
  const filters = ['topic=="/tasks/exit"'];
  const events = daemon.channel().client(Events).subscribe({ filters });
  const first = events[Symbol.asyncIterator]().next();

  expect(await publish(daemon.address, exit)).toEqual({ code: 0, stderr: '' });

  const { value } = await first;
  expect(value).toMatchObject({ namespace: 'shop', topic: '/tasks/exit' });
  expect(fromBinary(TaskExitSchema, value?.event?.value ?? new Uint8Array())).toMatchObject({
    containerId: 'c1',
    exitStatus: 3,
  });
});

test('what is no event, and a containerd that is not there, are errors in words', async () => {
  expect(await publish(daemon.address, Buffer.from('no event'))).toMatchObject({ code: 1 });
  const { code, stderr } = await publish('/nowhere/c.sock', exit);
  expect(code).toBe(1);
  expect(stderr).toMatch(/\/nowhere\/c\.sock/);
  expect(stderr).not.toMatch(/^\s+at /m);
});
