import { describe, expect, test } from 'vitest';
import { aRun } from './a-run.fixture.ts';
import { fourForms, requestBehind } from './four-forms.ts';
import { RunModel } from './run-model.ts';

const CONTEXT = {
  argv: ['docker', 'run', 'busybox', 'echo', "it's"],
  socket: '/run/x/docker.sock',
};
const BODY = { Image: 'busybox', Cmd: ['sh', '-c', `echo "it's $HOME" \`date\``] };

describe('one act in four forms', () => {
  const forms = fourForms({ summary: 'POST /v1.50/containers/create?name=a', body: BODY }, CONTEXT);

  test('the command line is quoted for a shell', () => {
    expect(forms?.cli).toBe(`docker run busybox echo 'it'\\''s'`);
  });

  test('a shell reads the body of the curl line as it was sent: one quoted word', () => {
    const quoted = `'${JSON.stringify(BODY).replaceAll("'", "'\\''")}'`;
    expect(forms?.curl).toContain(`-d ${quoted}`);
    expect(forms?.curl).toContain("'http://localhost/v1.50/containers/create?name=a'");
    expect(forms?.curl).toContain('--unix-socket /run/x/docker.sock');
  });

  test('Go and TypeScript carry the same body and the name', () => {
    expect(forms?.go).toContain('cli.ContainerCreate(');
    expect(forms?.go).toContain('name := "a"');
    expect(forms?.typescript).toContain(JSON.stringify(JSON.stringify(BODY)));
  });

  test('an id in the path is the argument of the SDK’s method', () => {
    const start = fourForms({ summary: 'POST /v1.50/containers/3f9c/start', body: null }, CONTEXT);
    expect(start?.go).toContain('cli.ContainerStart(ctx, "3f9c", container.StartOptions{})');
    expect(start?.curl).not.toContain('-d');
  });

  test('what is no request has no forms', () => {
    expect(fourForms({ summary: 'Tasks/Create', body: null }, CONTEXT)).toBeNull();
  });
});

test('an event leads back to the request that caused it', () => {
  const model = new RunModel();
  model.add(aRun());
  const call = model.order.placed.find(({ event }) => event.type === 'syscall')?.event;
  expect(requestBehind(model, call?.id ?? null)?.summary).toContain('/start');
  expect(requestBehind(model, 'nobody')).toBeNull();
});
