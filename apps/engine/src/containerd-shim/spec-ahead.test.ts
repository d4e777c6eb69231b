import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readConfig } from '../libcontainer/config-file.ts';
import { SpecAhead } from './spec-ahead.ts';

let bundle: string;
const write = (hostname: string) =>
  writeFileSync(
    join(bundle, 'config.json'),
    JSON.stringify({
      ociVersion: '1.0.2',
      hostname,
      root: { path: 'rootfs' },
      process: { args: ['true'], cwd: '/', user: { uid: 0, gid: 0 } },
    }),
  );

beforeEach(() => {
  bundle = mkdtempSync(join(tmpdir(), 'spec-ahead-'));
});
afterEach(() => rmSync(bundle, { recursive: true, force: true }));

test('what was read ahead is taken, once', () => {
  write('one');
  const read = vi.fn(readConfig);
  const specs = new SpecAhead(read);

  specs.look(bundle);

  expect(specs.take(bundle)?.hostname).toBe('one');
  expect(read).toHaveBeenCalledTimes(1);
  expect(specs.take(bundle)?.hostname).toBe('one');
  expect(read).toHaveBeenCalledTimes(2);
});

test('whoever comes first has it read, and it is not read for nobody afterwards', () => {
  write('one');
  const read = vi.fn(readConfig);
  const specs = new SpecAhead(read);
  specs.take(bundle);

  specs.look(bundle);

  expect(read).toHaveBeenCalledTimes(1);
});

test('what has changed meanwhile is read again', () => {
  write('one');
  const specs = new SpecAhead();
  specs.look(bundle);

  write('another');

  expect(specs.take(bundle)?.hostname).toBe('another');
});

test('a bundle that was not looked at is read', () => {
  write('one');
  const specs = new SpecAhead();
  specs.look(join(bundle, 'elsewhere'));

  expect(specs.take(bundle)?.hostname).toBe('one');
});

test('nothing comes of a file that is missing or no specification', () => {
  const specs = new SpecAhead();
  specs.look(bundle);
  expect(specs.take(bundle)).toBeUndefined();

  writeFileSync(join(bundle, 'config.json'), '{');
  expect(specs.take(bundle)).toBeUndefined();
});
