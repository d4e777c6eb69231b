import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfigFile, refuseConflict } from './config-file.ts';
import { parseOptions } from './options.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dockerd-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (text: string): string => {
  const path = join(folder, 'daemon.json');
  writeFileSync(path, text);
  return path;
};

test.each([
  ['', null],
  ['{}', null],
  ['{"live-restore": true}', true],
  ['{"live-restore": false}', false],
])('%s says live-restore %s', (text, liveRestore) => {
  expect(readConfigFile(file(text))).toEqual({ liveRestore });
});

test.each([
  ['{', /unable to configure the Docker daemon with file .*daemon\.json/],
  ['[]', /not a JSON object/],
  ['{"live-restore": "yes"}', /neither true nor false/],
  ['{"debgu": true}', /the following directives don't match any configuration option: debgu/],
])('%s is refused', (text, message) => {
  expect(() => readConfigFile(file(text))).toThrow(message);
});

test('a file that was named and is not there is refused', () => {
  expect(() => readConfigFile(join(folder, 'nowhere.json'))).toThrow(/ENOENT/);
});

test('flag and file may not both say it', () => {
  const path = file('{"live-restore": true}');
  expect(() => refuseConflict(path, readConfigFile(path), true)).toThrow(
    /live-restore: \(from flag: true, from file: true\)/,
  );
  expect(() => refuseConflict(path, readConfigFile(path), undefined)).not.toThrow();
  expect(() => parseOptions(['--config-file', path, '--live-restore'])).toThrow(/both as a flag/);
  expect(parseOptions(['--config-file', path])).toMatchObject({ isLiveRestore: true });
});
