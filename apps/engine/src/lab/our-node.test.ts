import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { ourNode, withOurNode } from './our-node.ts';
import { engineRoot } from './paths.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'our-node-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const nodeIn = (name: string): string => {
  const path = join(folder, name, 'node');
  mkdirSync(join(folder, name));
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, 0o755);
  return path;
};
const at = (name: string): string => join(folder, name);

test('a Node in no folder of the system is found first', () => {
  const ours = nodeIn('nvm');
  mkdirSync(at('empty'));

  expect(withOurNode(at('empty'), ours)).toBe(`${at('nvm')}:${at('empty')}`);
});

test('another Node is not taken for ours', () => {
  const ours = nodeIn('new');
  nodeIn('old');

  expect(withOurNode(`${at('old')}:${at('new')}`, ours)).toBe(
    `${at('new')}:${at('old')}:${at('new')}`,
  );
});

test('where the first one is ours, by its own name or another, nothing changes', () => {
  const ours = nodeIn('real');
  mkdirSync(at('linked'));
  symlinkSync(ours, join(at('linked'), 'node'));

  for (const path of [at('real'), `${at('linked')}:/bin`])
    expect(withOurNode(path, ours)).toBe(path);
});

test('where npm has put none it is the one that runs us, and not one that lies above the repository', () => {
  const planted = join(folder, `node_modules/node-linux-${process.arch}/bin`);
  mkdirSync(planted, { recursive: true });
  writeFileSync(join(planted, 'node'), '#!/bin/sh\n', { mode: 0o755 });

  expect(ourNode(folder)).toBe(join(planted, 'node'));
  expect(ourNode(at('repository'))).toBe(process.execPath);
});

test.runIf(process.platform === 'linux')(
  'ours is the one that npm installed with the engine',
  () => {
    const { optionalDependencies } = z
      .object({ optionalDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(join(engineRoot(), 'package.json'), 'utf8')));

    const said = execFileSync(ourNode(), ['--version'], { encoding: 'utf8' }).trim();
    expect(said).toBe(`v${optionalDependencies[`node-linux-${process.arch}`]}`);
  },
);
