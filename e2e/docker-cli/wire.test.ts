/** What programs other than the CLI rely on in the API. */
import { expect, test } from 'vitest';
import { ask } from './support/ask.ts';
import { aName, docker } from './support/suite.ts';

test('keys are read in any case, as Go reads them', async () => {
  const name = `volume-${process.pid}`;
  const made = await ask('POST', '/v1.41/volumes/create', { name, LABELS: { a: 'b' } });

  expect(made.json).toMatchObject({ Name: name, Labels: { a: 'b' } });
  await docker.ok(['volume', 'rm', name]);
});

test('output of an exec is framed unless its start asks for a terminal, whatever it was made with', async () => {
  const name = aName();
  await docker.ok(['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
  const outputOf = async (start: { readonly Tty: boolean }) => {
    const { json } = await ask('POST', `/v1.41/containers/${name}/exec`, {
      Tty: true,
      AttachStdout: true,
      Cmd: ['echo', 'hello'],
    });
    const { Id } = json as { readonly Id: string };
    return (await ask('POST', `/v1.41/exec/${Id}/start`, start)).bytes.toString('latin1');
  };

  expect(await outputOf({ Tty: false })).toBe('\x01\0\0\0\0\0\0\x07hello\r\n');
  expect(await outputOf({ Tty: true })).toBe('hello\r\n');
});

test('an archive that is none is told in the stream, for the answer has begun', async () => {
  const { status, json } = await ask('POST', '/v1.41/images/load', Buffer.from('abc'));

  expect(status).toBe(200);
  expect(json).toMatchObject({ errorDetail: { message: expect.any(String) as string } });
  expect((await docker(['load'], { input: 'abc' })).code).toBe(1);
});

test('an image that was saved by its id is loaded under it', async () => {
  const id = await docker.ok(['inspect', '--format', '{{.Id}}', 'busybox']);
  const { stdoutBytes } = await docker(['save', id]);

  expect(await docker.ok(['load'], { input: stdoutBytes })).toBe(`Loaded image ID: ${id}`);
});

test('no swarm, and no volume driver but one', async () => {
  expect(await ask('POST', '/v1.41/swarm/leave?force=1')).toMatchObject({
    status: 503,
    json: { message: 'This node is not part of a swarm' },
  });
  for (const path of ['/services/x', '/nodes', '/tasks/x']) {
    expect((await ask('GET', `/v1.41${path}`)).status).toBe(503);
  }
  expect(await ask('POST', '/v1.41/volumes/create', { Name: 'v', Driver: 'nosuch' })).toMatchObject(
    {
      status: 404,
      json: {
        message: 'create v: error looking up volume plugin nosuch: plugin "nosuch" not found',
      },
    },
  );
}, 60_000);
