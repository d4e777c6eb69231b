import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { addOwnName, changeHost, removeOwnName } from './network-files.ts';

let directory: string;
let hosts: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hosts-'));
  hosts = join(directory, 'hosts');
  writeFileSync(hosts, '127.0.0.1\tlocalhost\n172.18.0.2\tdb 0123\n');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const lines = (): string[] => readFileSync(hosts, 'utf8').split('\n');

test('a name comes with its network and goes with it', async () => {
  await addOwnName(directory, { address: '172.19.0.9', name: 'me' });
  expect(lines()).toContain('172.19.0.9\tme');

  await removeOwnName(directory, '172.19.0.9');
  expect(lines()).toEqual(['127.0.0.1\tlocalhost', '172.18.0.2\tdb 0123', '']);
});

test('a link is told of a new address, and that it has gone', async () => {
  await changeHost(directory, 'db', '172.18.0.200\tdb 0123');
  expect(lines()).toEqual(['127.0.0.1\tlocalhost', '172.18.0.200\tdb 0123', '']);

  await changeHost(directory, 'db', null);
  expect(lines()).toEqual(['127.0.0.1\tlocalhost', '']);
});

test('the file stays the one that the container sees', async () => {
  const { ino } = statSync(hosts);

  await changeHost(directory, 'db', null);

  expect(statSync(hosts).ino).toBe(ino);
});

test('bytes that are no text stay as the container wrote them', async () => {
  const own = Buffer.from([0x31, 0x20, 0xff, 0xfe, 0x0a]);
  writeFileSync(hosts, own);

  await changeHost(directory, 'db', null);

  expect(readFileSync(hosts)).toEqual(own);
});

test('a file that the container made huge is not read, and left as it is', async () => {
  truncateSync(hosts, 2 ** 40);

  await removeOwnName(directory, '172.18.0.2');
  await changeHost(directory, 'db', null);

  expect(statSync(hosts).size).toBe(2 ** 40);
});
