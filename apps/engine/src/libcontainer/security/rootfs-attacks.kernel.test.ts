/**
 * Images that try to lead the runtime out of their root filesystem, as published. Each attack fails; then the one
 * defence is taken out of the plan, and the same attack works: so it is that defence that holds it.
 * https://github.com/opencontainers/runc/security/advisories
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import type * as compileCreateModule from '../compile-create.ts';
import { nativeArchitecture } from '../host-facts.ts';
import { openFlags } from '../plan/constants.ts';
import { AT_FDCWD, number, StageBuilder, text } from '../plan/stage-builder.ts';
import type { Plan, Step } from '../plan/step.ts';
import { Bench, dockerMounts } from '../testing/bundle.ts';

/** What is done to each plan of this test before it runs. */
let tamper: (plan: Plan) => Plan = (plan) => plan;

vi.mock('../compile-create.ts', async (importOriginal) => {
  const original = await importOriginal<typeof compileCreateModule>();
  const compileCreate: typeof original.compileCreate = (input) =>
    tamper(original.compileCreate(input));
  return { ...original, compileCreate };
});

const bench = new Bench();
afterEach(() => {
  tamper = (plan) => plan;
});
afterAll(() => bench.close());

const RESOLVE_AT = 16;

/** openat2 resolves like openat: links of the image lead wherever they say. */
const withoutResolve = (plan: Plan): Plan => ({
  ...plan,
  init: plan.init.map((step): Step => {
    if (step.kind !== 'syscall' || step.name !== 'openat2') return step;
    const how = step.arguments[2];
    if (how?.kind !== 'bytes') return step;
    const bytes = how.data.bytes.slice();
    bytes.fill(0, RESOLVE_AT);
    return { ...step, arguments: step.arguments.with(2, { ...how, data: { ...how.data, bytes } }) };
  }),
});

const without = (plan: Plan, isDefence: (step: Step) => boolean): Plan => ({
  ...plan,
  init: plan.init.filter((step) => !isDefence(step)),
});

const volume = (): string => {
  const folder = join(bench.folder, `volume-${process.hrtime.bigint()}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'mine'), 'mine');
  return folder;
};

const bindTo = (destination: string, source: string) => ({
  spec: {
    mounts: [
      ...dockerMounts(),
      { destination, type: 'bind', source, options: ['rbind', 'rprivate'] },
    ],
  },
});

const outside = (): string => {
  const folder = join(bench.folder, `host-${process.hrtime.bigint()}`);
  mkdirSync(folder);
  return folder;
};

/** The container is not needed any longer than that; whether it could be made is not the question. */
const attempt = async (bundle: { readonly id: string; readonly path: string }): Promise<string> => {
  try {
    const created = await bench.create(bundle);
    const exited = bench.exitOf(created);
    process.kill(created.pid, 'SIGKILL');
    await exited;
    await bench.delete(bundle.id, true);
    return 'created';
  } catch (error) {
    return String(error);
  }
};

test('CVE-2024-45310: a link on the way to a mount makes no folder on the host', async () => {
  const host = outside();
  const attack = () => {
    const bundle = bench.bundle(['true'], bindTo('/link/stray/folder', volume()));
    symlinkSync(host, join(bundle.rootfs, 'link'));
    return attempt(bundle);
  };
  await attack();
  expect(readdirSync(host)).toEqual([]);

  tamper = withoutResolve;
  await attack();
  expect(readdirSync(host)).toEqual(['stray']);
});

/** Swaps a folder and a link for one another, as fast as it can, until it is killed. */
const SWAPPER = `const { renameSync } = require('fs');
for (;;) { renameSync('place', 'folder'); renameSync('link', 'place'); renameSync('place', 'link'); renameSync('folder', 'place'); }`;

test('CVE-2021-30465: a mount point that is swapped for a link meanwhile leads nowhere else', async () => {
  const host = outside();
  const attack = async (): Promise<void> => {
    const bundle = bench.bundle(['true'], bindTo('/place/sub/stray', volume()));
    mkdirSync(join(bundle.rootfs, 'place'));
    symlinkSync(host, join(bundle.rootfs, 'link'));
    const swapper = spawn(process.execPath, ['-e', SWAPPER], {
      cwd: bundle.rootfs,
      stdio: 'ignore',
    });
    const ended = once(swapper, 'exit');
    await once(swapper, 'spawn');
    for (let round = 0; round < 15; round += 1) await attempt(bundle);
    swapper.kill('SIGKILL');
    await ended;
  };
  await attack();
  expect(readdirSync(host)).toEqual([]);

  tamper = withoutResolve;
  for (let round = 0; round < 20 && readdirSync(host).length === 0; round += 1) await attack();
  expect(readdirSync(host)).toEqual(['sub']);
});

test.each(['proc', 'sys'])(
  'CVE-2019-19921, CVE-2023-28642: a link in place of /%s is not followed',
  async (name) => {
    const attack = async (): Promise<string> => {
      const bundle = bench.bundle(['true']);
      rmSync(join(bundle.rootfs, name), { recursive: true });
      symlinkSync(outside(), join(bundle.rootfs, name));
      return attempt(bundle);
    };
    expect(await attack()).toMatch(/too many levels of symbolic links/);
    tamper = withoutResolve;
    expect(await attack()).not.toMatch(/too many levels of symbolic links/);
  },
);

/** The image brings its own /dev. */
const ownDev = () => ({
  spec: { mounts: dockerMounts().filter(({ destination }) => !destination.startsWith('/dev')) },
});

test('CVE-2025-31133: a link in place of /dev/null opens no file of the kernel', async () => {
  const attack = async (): Promise<string> => {
    const bundle = bench.bundle(['true'], ownDev());
    symlinkSync('/proc/version', join(bundle.rootfs, 'dev/null'));
    return attempt(bundle);
  };
  expect(await attack()).toMatch(
    /runc create failed: .*masked path|too many levels of symbolic links/i,
  );

  tamper = withoutResolve;
  expect(await attack()).toBe('created');
});

test('CVE-2025-52565, CVE-2025-52881: a link in place of /dev/console moves the terminal nowhere', async () => {
  const attack = async (): Promise<string> => {
    const bundle = bench.bundle(['true'], {
      process: { terminal: true },
      spec: {
        mounts: dockerMounts().filter(
          ({ destination }) => !destination.startsWith('/dev') || destination === '/dev/pts',
        ),
      },
    });
    mkdirSync(join(bundle.rootfs, 'dev/pts'));
    symlinkSync('/proc/version', join(bundle.rootfs, 'dev/console'));
    return attempt(bundle);
  };
  expect(await attack()).toMatch(/too many levels of symbolic links/);
  tamper = withoutResolve;
  expect(await attack()).toBe('created');
});

test('CVE-2024-21626: a working directory behind a forgotten descriptor of the host is out of reach', async () => {
  /** runc of then had forgotten one on a folder of the host's. */
  const forgotten = new StageBuilder(nativeArchitecture());
  const { O_PATH, O_DIRECTORY } = openFlags(forgotten.architecture);
  forgotten.call('openat', [AT_FDCWD, text('/'), number(O_PATH | O_DIRECTORY)], {
    title: 'forgotten',
    object: 'process',
    source: '',
    reference: '',
  });
  const forget = (plan: Plan): Plan => ({ ...plan, init: [...forgotten.steps, ...plan.init] });
  const attack = async (): Promise<string> => {
    const seen = [];
    for (let fd = 3; fd < 9; fd += 1)
      seen.push(
        await bench
          .run(['ls'], { process: { cwd: `/proc/self/fd/${fd}` } })
          .then(({ output }) => output, String),
      );
    return seen.join('\n');
  };
  tamper = forget;
  expect(await attack()).not.toMatch(/^usr$/m);
  tamper = (plan) => without(forget(plan), ({ name }) => name === 'close_range');
  expect(await attack()).toMatch(/^usr$/m);
});
