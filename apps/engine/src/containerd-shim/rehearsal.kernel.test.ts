import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readHostFacts } from '../libcontainer/host-facts.ts';
import { native } from '../native/load.ts';
import { rehearse } from './rehearsal.ts';

const cgroups = (): readonly string[] =>
  readHostFacts().hierarchies.flatMap(({ mountPoint }) => readdirSync(mountPoint));

it('a container is rehearsed up to its cgroup, which cannot be; nothing is left', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'rehearsal-'));
  const before = cgroups();
  const folder = join(parent, 'stage');

  const answers = await rehearse(native, folder);

  const expected = expect.stringMatching(/mkdirat\(.*file name too long/);
  expect(answers).toEqual(Array.from({ length: 20 }, (): unknown => expected));
  expect(existsSync(folder)).toBe(false);
  // Others may take theirs away meanwhile.
  expect(cgroups().filter((name) => !before.includes(name))).toEqual([]);
  rmSync(parent, { recursive: true });
});

it('where containerd has gone with its folder, none is made again', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'rehearsal-'));

  const answers = await rehearse(native, join(parent, 'gone/stage'));

  expect(answers).toEqual([expect.stringContaining('ENOENT')]);
  expect(readdirSync(parent)).toEqual([]);
  rmSync(parent, { recursive: true });
});
