/**
 * Shims and containerds crossed: Debian's containerd with our shim, ours with Debian's, and, to know what is to be
 * expected, Debian's with its own. `ctr` asks the same of each pair.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Containerd, type Kind, startContainerd } from './support/containerds.ts';
import { writeTestImage } from './support/test-image.ts';

const OURS = 'io.containerd.engineroom.v2';
const THEIRS = 'io.containerd.runc.v2';
const PAIRS: readonly { readonly kind: Kind; readonly runtime: string }[] = [
  { kind: 'real', runtime: THEIRS },
  { kind: 'real', runtime: OURS },
  { kind: 'ours', runtime: THEIRS },
];

const folder = mkdtempSync(join(tmpdir(), 'shims-'));
let archive = '';
const IMAGE = 'example.com/test/box:1';
const path = process.env['PATH'] ?? '';

beforeAll(async () => {
  // A containerd finds a shim by its name in PATH.
  process.env['PATH'] = [path, join(import.meta.dirname, '../../apps/engine/bin')].join(delimiter);
  ({ archive } = await writeTestImage(join(folder, 'image.tar'), IMAGE));
});
afterAll(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true });
});

describe.each(PAIRS)('containerd: $kind, shim: $runtime', ({ kind, runtime }) => {
  let containerd: Containerd;
  beforeAll(async () => {
    containerd = await startContainerd(kind);
    expect(await containerd.ctr(['image', 'import', archive])).toMatchObject({ code: 0 });
  });
  afterAll(() => containerd.stop());

  const ok = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await containerd.ctr(args);
    expect(`${stderr}code ${code}`, args.join(' ')).toBe('code 0');
    return stdout;
  };
  const run = (flags: readonly string[], id: string, ...command: readonly string[]) =>
    containerd.ctr(['run', '--runtime', runtime, ...flags, IMAGE, id, ...command], 'go\n');

  test('run: output, both streams, exit code', async () => {
    const answer = await run(
      ['--rm'],
      'one',
      'sh',
      '-c',
      'read go; echo out; echo err >&2; exit 7',
    );
    expect(answer).toMatchObject({ code: 7, stdout: 'out\n' });
    expect(answer.stderr).toContain('err\n');
    expect(await ok('containers', 'ls', '-q')).toBe('');
  });

  test('a program that is not there is said by its name', async () => {
    const { code, stderr } = await run(['--rm'], 'none', 'no-such-program');
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/"no-such-program": executable file not found in \$PATH/);
  });

  test('a life: exec, ps, metrics, pause, resume, kill, delete, and its events in their order', async () => {
    const listener = containerd.ctrInBackground(['events']);
    let said = '';
    listener.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
    expect(await run(['-d'], 'life', 'sleep', '1000')).toMatchObject({ code: 0, stderr: '' });
    const [, pid = ''] = /life\s+(\d+)\s+RUNNING/.exec(await ok('tasks', 'ls')) ?? [];

    const exec = [
      'tasks',
      'exec',
      '--exec-id',
      'e1',
      'life',
      'sh',
      '-c',
      'read go; echo in; exit 4',
    ];
    expect(await containerd.ctr(exec, 'go\n')).toMatchObject({ code: 4, stdout: 'in\n' });
    expect(await ok('tasks', 'ps', 'life')).toMatch(new RegExp(`^${pid}\\s`, 'm'));
    expect(await ok('tasks', 'metrics', 'life')).toMatch(/memory/);
    await ok('tasks', 'pause', 'life');
    expect(await ok('tasks', 'ls')).toMatch(/life\s+\d+\s+PAUSED/);
    await ok('tasks', 'resume', 'life');
    expect(await ok('tasks', 'ls')).toMatch(/life\s+\d+\s+RUNNING/);
    await ok('tasks', 'kill', '--signal', 'SIGKILL', 'life');
    await expect.poll(() => ok('tasks', 'ls'), { timeout: 30_000 }).toMatch(/life\s+\d+\s+STOPPED/);
    const deleted = await containerd.ctr(['tasks', 'delete', 'life']);
    expect(deleted.stderr).toContain('task life exit with non-zero exit code 137');
    await ok('containers', 'delete', 'life');

    const topics = () =>
      [...said.matchAll(/ (\/tasks\/\S+)/g)].map(([, topic = '']) => topic.replace('/tasks/', ''));
    await expect.poll(topics, { timeout: 30_000 }).toContain('delete');
    listener.kill('SIGTERM');
    const wanted = 'create start exec-added exec-started exit paused resumed exit delete';
    expect(topics().join(' ')).toBe(wanted);
  });
});
