/** Who a client is, asked of the kernel about real processes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { readProcess } from './client-processes.ts';

const TRACE = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
const TRACEPARENT = `00-${TRACE.traceId}-${TRACE.spanId}-01`;

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
});

const start = async (environment: Readonly<Record<string, string>>): Promise<number> => {
  const child = spawn('/bin/sh', ['-c', 'echo up; read line'], { env: { ...environment } });
  children.push(child);
  await once(child.stdout, 'data');
  return child.pid ?? 0;
};

test('a program that was started for a trace belongs to it', async () => {
  expect(readProcess(await start({ A: 'b', TRACEPARENT }))).toMatchObject({
    name: 'sh',
    startedFor: TRACE,
  });
});

test.each([
  ['none', {}],
  ['a broken one', { TRACEPARENT: 'nonsense' }],
  ['one in another variable', { X: `TRACEPARENT=${TRACEPARENT}` }],
])('a program with %s was started for nobody', async (_what, environment) => {
  expect(readProcess(await start(environment))?.startedFor).toBeNull();
});

test('a process that is gone is nobody', async () => {
  const pid = await start({});
  const child = children.pop();
  child?.kill('SIGKILL');
  await once(child!, 'exit');
  expect(readProcess(pid)).toBeNull();
});
