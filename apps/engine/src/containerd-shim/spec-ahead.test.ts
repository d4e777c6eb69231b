import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseConfig } from '../libcontainer/config-file.ts';
import { SpecAhead } from './spec-ahead.ts';

let bundle: string;
const configOf = (hostname: string) =>
  JSON.stringify({
    ociVersion: '1.0.2',
    hostname,
    root: { path: 'rootfs' },
    process: { args: ['true'], cwd: '/', user: { uid: 0, gid: 0 } },
  });
const write = (text: string) => writeFileSync(join(bundle, 'config.json'), text);

beforeEach(() => {
  bundle = mkdtempSync(join(tmpdir(), 'spec-ahead-'));
});
afterEach(() => rmSync(bundle, { recursive: true, force: true }));

test('what was foreseen is not read again, once', () => {
  const parse = vi.fn(parseConfig);
  const specs = new SpecAhead(parse);
  write(configOf('one'));

  specs.foresee(configOf('one'));

  expect(specs.take(bundle)?.hostname).toBe('one');
  expect(parse).toHaveBeenCalledTimes(1);
  expect(specs.take(bundle)?.hostname).toBe('one');
  expect(parse).toHaveBeenCalledTimes(2);
});

test('of two that were foreseen the later one counts', () => {
  const parse = vi.fn(parseConfig);
  const specs = new SpecAhead(parse);
  write(configOf('two'));

  specs.foresee(configOf('one'));
  specs.foresee(configOf('two'));

  expect(specs.take(bundle)?.hostname).toBe('two');
  expect(parse).toHaveBeenCalledTimes(2);
});

test('what stands in the bundle decides', () => {
  const specs = new SpecAhead();
  specs.foresee(configOf('one'));
  write(configOf('another'));

  expect(specs.take(bundle)?.hostname).toBe('another');
});

test('what was not foreseen is read', () => {
  write(configOf('one'));

  expect(new SpecAhead().take(bundle)?.hostname).toBe('one');
});

test('nothing comes of a file that is missing or no specification', () => {
  const specs = new SpecAhead();
  specs.foresee('{');
  expect(specs.take(bundle)).toBeUndefined();

  specs.foresee('{');
  write('{');
  expect(specs.take(bundle)).toBeUndefined();
});
