/** Hooks: who is called when, where, and with what; and what happens when one fails. */
import { chmodSync, existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { native } from '../native/load.ts';
import type { State } from '../protocol/oci/state.ts';
import { deleteContainer } from './delete-container.ts';
import { Bench, traces } from './testing/bundle.ts';

const bench = new Bench();
afterAll(() => bench.close());

/** Writes down how it was called; sh is busybox's, as the environment of a hook is empty. */
const SCRIPT = `#!/bin/busybox sh
b=/bin/busybox
{ echo "$*"; $b readlink /proc/self/ns/mnt; $b id -u; $b pwd; $b cat; } > "$LOG"
case "$DO" in
  fail) echo out; echo err >&2; exit 7 ;;
  hang) exec $b sleep 1000 ;;
esac
`;

const POINTS = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;
type Point = (typeof POINTS)[number];

/** A container with a hook at each of the points; `log` tells what the hook of a point has written. */
const bundleWith = (points: readonly Point[], action = '', timeout?: number) => {
  const bundle = bench.bundle(['sleep', '1000']);
  const script = (folder: string): string => {
    const path = join(folder, 'hook');
    writeFileSync(path, SCRIPT);
    chmodSync(path, 0o755);
    return path;
  };
  const outside = script(bundle.path);
  script(bundle.rootfs);
  const isInside = (point: Point) => point === 'startContainer';
  const hooks = Object.fromEntries(
    points.map((point) => [
      point,
      [
        {
          path: isInside(point) ? '/hook' : outside,
          args: ['hook', point],
          env: [`LOG=${isInside(point) ? '' : bundle.path}/${point}.log`, `DO=${action}`],
          ...(timeout === undefined ? {} : { timeout }),
        },
      ],
    ]),
  );
  const spec = { ...bundle.spec, hooks, annotations: { colour: 'blue' } };
  writeFileSync(join(bundle.path, 'config.json'), JSON.stringify(spec));
  const logOf = (point: Point) =>
    join(isInside(point) ? bundle.rootfs : bundle.path, `${point}.log`);
  return {
    ...bundle,
    called: (point: Point) => existsSync(logOf(point)),
    log: (point: Point) => {
      const [args, mount, uid, cwd, state] = readFileSync(logOf(point), 'utf8').split('\n');
      return { args, mount, uid, cwd, state: JSON.parse(state ?? '') as State };
    },
  };
};

const mountNamespaceOf = (pid: number | string) => readlinkSync(`/proc/${pid}/ns/mnt`);

test('each hook is called at its point, in its namespaces, with the state', async () => {
  const bundle = bundleWith(POINTS);
  const { id, path, rootfs } = bundle;
  const created = await bench.create(bundle);
  const { pid } = created;
  const inside = mountNamespaceOf(pid);
  const host = mountNamespaceOf('self');
  const base = { ociVersion: '1.0.2', id, bundle: path, annotations: { colour: 'blue' } };
  const seen = (point: Point) => bundle.log(point);

  for (const point of ['prestart', 'createRuntime'] as const)
    expect(seen(point)).toEqual({
      args: point,
      mount: host,
      uid: '0',
      cwd: path,
      state: { ...base, status: 'creating', pid },
    });
  expect(seen('createContainer')).toEqual({
    args: 'createContainer',
    mount: inside,
    uid: '0',
    cwd: rootfs,
    state: { ...base, status: 'creating', pid: 1 },
  });
  expect(POINTS.filter(bundle.called)).toEqual(['prestart', 'createRuntime', 'createContainer']);

  await bench.start(id);
  expect(seen('startContainer')).toMatchObject({
    mount: inside,
    cwd: '/',
    state: { ...base, status: 'created', pid: 1 },
  });
  expect(seen('poststart')).toMatchObject({
    mount: host,
    cwd: path,
    state: { ...base, status: 'running', pid },
  });
  expect(bundle.called('poststop')).toBe(false);

  const exited = bench.exitOf(created);
  native.pidfdSendSignal(created.pidfd, 9);
  await exited;
  await bench.delete(id);
  expect(seen('poststop')).toMatchObject({ mount: host, state: { ...base, status: 'stopped' } });
  expect(seen('poststop').state).not.toHaveProperty('pid');
});

test('a hook in the container has no more power than the container', async () => {
  const bundle = bundleWith(['startContainer']);
  const process = { ...bundle.spec.process, user: { uid: 1000, gid: 1000 }, cwd: '/tmp' };
  const config = JSON.parse(readFileSync(join(bundle.path, 'config.json'), 'utf8')) as object;
  writeFileSync(
    join(bundle.path, 'config.json'),
    JSON.stringify({ ...config, process }).replace('LOG=/startContainer', 'LOG=/tmp/hook'),
  );
  await bench.create(bundle);

  await bench.start(bundle.id);

  expect(readFileSync(join(bundle.rootfs, 'tmp/hook.log'), 'utf8')).toContain('\n1000\n/tmp\n');
  await bench.delete(bundle.id, true);
});

test.each(['prestart', 'createRuntime', 'createContainer'] as const)(
  'when %s fails there is no container, and nothing is left',
  async (point) => {
    const before = traces(bench.cgroupParent, bench.folder);
    const bundle = bundleWith([point], 'fail');

    await expect(bench.create(bundle)).rejects.toThrow(
      'runc create failed: unable to start container process: error during container init: error running hook #0: error running hook: exit status 7, stdout: out\n, stderr: err\n',
    );

    expect(traces(bench.cgroupParent, bench.folder)).toEqual(before);
    expect(existsSync(join(bench.root, bundle.id))).toBe(false);
  },
);

test('a hook that is not there, and one that never ends', async () => {
  const missing = bundleWith(['prestart']);
  const config = readFileSync(join(missing.path, 'config.json'), 'utf8');
  writeFileSync(
    join(missing.path, 'config.json'),
    config.replace(`"${missing.path}/hook"`, '"/not/there"'),
  );
  await expect(bench.create(missing)).rejects.toThrow(
    'error running hook #0: fork/exec /not/there: no such file or directory',
  );

  const hanging = bundleWith(['createRuntime'], 'hang', 1);
  await expect(bench.create(hanging)).rejects.toThrow(
    'error running hook #0: hook ran past specified timeout of 1.0s',
  );
});

test.each(['startContainer', 'poststart'] as const)(
  'when %s fails the container is ended',
  async (point) => {
    const bundle = bundleWith([point], 'fail');
    const created = await bench.create(bundle);
    const exited = bench.exitOf(created);

    await expect(bench.start(bundle.id)).rejects.toThrow('error running hook: exit status 7');

    expect(await exited).toBe(137);
    await bench.delete(bundle.id);
  },
);

test('when poststop fails the container is gone all the same, and that is said', async () => {
  const bundle = bundleWith(['poststop'], 'fail');
  await bench.create(bundle);
  const warnings: string[] = [];

  await deleteContainer({
    native,
    tracer: bench.tracer,
    root: bench.root,
    id: bundle.id,
    force: true,
    onWarning: (message) => warnings.push(message),
  });

  expect(warnings).toEqual([expect.stringContaining('error running hook: exit status 7')]);
  expect(existsSync(join(bench.root, bundle.id))).toBe(false);
});

test('the trace tells of a hook: a span, a process, its execve', () => {
  const names = bench.events.flatMap((event) => (event.type === 'spanStarted' ? [event.name] : []));
  for (const point of POINTS) expect(names).toContain(`runc hook ${point}`);
  const ran = bench.events.filter(
    (event) => event.type === 'process' && event.change === 'exec' && event.actor === 'runc',
  );
  expect(ran.length).toBeGreaterThan(0);
});
