/** `ctr` over stacks of containerd, shim and runtime, ours and Debian's crossed: the same commands, the same answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Containerd } from '../ctr/support/containerds.ts';
import { writeTestImage } from '../ctr/support/test-image.ts';
import { Matrix } from './matrix.ts';
import { CTR_PARTIES, titleOf } from './parties.ts';

const IMAGE = 'example.com/test/box:1';

interface Asked {
  readonly containerd: Containerd;
  readonly flags: readonly string[];
  readonly id: string;
  readonly ok: (...args: readonly string[]) => Promise<string>;
  readonly run: (flags: readonly string[], ...command: readonly string[]) => Promise<Answer>;
}

const life = async ({ run, ok, id }: Asked): Promise<string> => {
  expect(await run(['-d'], 'sleep', '1000')).toMatchObject({ code: 0, stderr: '' });
  const [, pid = ''] = new RegExp(`${id}\\s+(\\d+)\\s+RUNNING`).exec(await ok('tasks', 'ls')) ?? [];
  return pid;
};

const COMMANDS: Readonly<Record<string, (asked: Asked) => Promise<void>>> = {
  run: async ({ run }) => {
    const said = await run(['--rm'], 'sh', '-c', 'echo out; echo err >&2; exit 7');
    expect(said).toMatchObject({ code: 7, stdout: 'out\n' });
    expect(said.stderr).toContain('err\n');
  },
  'run -t': async ({ containerd, flags, id }) => {
    const command = [
      'ctr',
      '--address',
      containerd.address,
      'run',
      ...flags,
      '--rm',
      '-t',
      IMAGE,
      id,
    ];
    const script = `stty rows 24 cols 80; exec ${command.join(' ')} sh -c 'test -t 0 && test -t 1 && echo a terminal; exit 3'`;
    const child = spawn('script', ['-qefc', script, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [code] = (await once(child, 'close')) as [number];
    expect(said).toMatch(/^a terminal\r+\n$/);
    expect(code).toBe(3);
  },
  'no program': async ({ run }) => {
    const { code, stderr } = await run(['--rm'], 'no-such-program');
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/"no-such-program": executable file not found in \$PATH/);
  },
  exec: async (asked) => {
    await life(asked);
    const exec = ['tasks', 'exec', '--exec-id', 'e', asked.id, 'sh', '-c', 'exit 4'];
    expect(await asked.containerd.ctr(exec)).toMatchObject({ code: 4 });
  },
  ps: async (asked) => {
    const pid = await life(asked);
    expect(await asked.ok('tasks', 'ps', asked.id)).toMatch(new RegExp(`^${pid}\\s`, 'm'));
  },
  metrics: async (asked) => {
    await life(asked);
    expect(await asked.ok('tasks', 'metrics', asked.id)).toMatch(/memory/);
  },
  pause: async (asked) => {
    await life(asked);
    await asked.ok('tasks', 'pause', asked.id);
    expect(await asked.ok('tasks', 'ls')).toMatch(new RegExp(`${asked.id}\\s+\\d+\\s+PAUSED`));
    await asked.ok('tasks', 'resume', asked.id);
    expect(await asked.ok('tasks', 'ls')).toMatch(new RegExp(`${asked.id}\\s+\\d+\\s+RUNNING`));
  },
  kill: async (asked) => {
    await life(asked);
    await asked.ok('tasks', 'kill', '--signal', 'SIGKILL', asked.id);
    await expect
      .poll(() => asked.ok('tasks', 'ls'), { timeout: 30_000 })
      .toMatch(new RegExp(`${asked.id}\\s+\\d+\\s+STOPPED`));
    const deleted = await asked.containerd.ctr(['tasks', 'delete', asked.id]);
    expect(deleted.stderr).toContain(`task ${asked.id} exit with non-zero exit code 137`);
  },
};

const folder = mkdtempSync(join(tmpdir(), 'interop-'));
const matrix = new Matrix(Object.keys(COMMANDS));
/** States of Debian's shim lie in one folder of the machine: names of an interrupted run must not be met again. */
const RUN = Date.now().toString(36);
let archive = '';

beforeAll(async () => {
  ({ archive } = await writeTestImage(join(folder, 'image.tar'), IMAGE));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  console.log(`${matrix.draw()}\n\n${matrix.failures} cells failed`);
});

describe.each(CTR_PARTIES.map((party) => [titleOf(party), party] as const))('%s', (_, party) => {
  let containerd: Containerd;
  let count = 0;
  beforeAll(async () => {
    containerd = await party.start();
    expect(await containerd.ctr(['image', 'import', archive])).toMatchObject({ code: 0 });
  });
  afterAll(() => containerd.stop());

  test.each(Object.entries(COMMANDS))('ctr %s', (column, command) =>
    matrix.cell(party, column, async () => {
      const id = `i${RUN}-${CTR_PARTIES.indexOf(party)}-${(count += 1)}`;
      await command({
        containerd,
        flags: party.flags,
        id,
        ok: async (...args) => {
          const { code, stdout, stderr } = await containerd.ctr(args);
          expect(`${stderr}code ${code}`, args.join(' ')).toBe('code 0');
          return stdout;
        },
        run: (flags, ...command) =>
          containerd.ctr(['run', ...party.flags, ...flags, IMAGE, id, ...command]),
      });
      await containerd.ctr(['tasks', 'delete', '--force', id]);
      await containerd.ctr(['containers', 'delete', id]);
    }),
  );
});
