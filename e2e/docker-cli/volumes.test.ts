/** Volumes, folders of the host and tmpfs: what a container finds, what stays, and what is refused. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { aName, docker } from './support/suite.ts';

const volumes: string[] = [];
const folders: string[] = [];
const aVolume = (): string => {
  const name = `volume-${process.pid}-${volumes.length}-${Date.now()}`;
  volumes.push(name);
  return name;
};
const aFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'bind-'));
  folders.push(folder);
  return folder;
};

// Runs before the suite's own hook has removed the containers, so a volume in use is let go here.
afterEach(async () => {
  for (const name of volumes.splice(0)) {
    const users = await docker.ok(['ps', '-aq', '--filter', `volume=${name}`]);
    if (users) await docker(['rm', '-f', ...users.split('\n')]);
    await docker(['volume', 'rm', '-f', name]);
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const run = (...args: readonly string[]) => docker(['run', '--rm', ...args]);
const sh = (args: readonly string[], script: string) => run(...args, 'busybox', 'sh', '-c', script);

test('a named volume keeps its files from one container to the next', async () => {
  const name = aVolume();

  await sh(['-v', `${name}:/data`], 'echo kept >/data/file');

  expect((await sh(['-v', `${name}:/data:ro`], 'cat /data/file')).stdout).toBe('kept\n');
  const where = await docker.ok(['volume', 'inspect', '--format', '{{.Mountpoint}}', name]);
  expect(readFileSync(join(where, 'file'), 'utf8')).toBe('kept\n');
});

test('a new volume shows what the image has there, with its mode; a used one stays as it is', async () => {
  const etc = aVolume();
  const tmp = aVolume();

  const first = await sh(['-v', `${etc}:/etc`, '-v', `${tmp}:/tmp`], 'stat -c %a /tmp');
  await sh(['-v', `${etc}:/data`], 'grep -q ^root: /data/passwd && rm /data/passwd');
  const again = await sh(['-v', `${etc}:/etc`], 'test ! -e /etc/passwd');

  expect(first).toMatchObject({ code: 0, stdout: '1777\n' });
  expect(again.code).toBe(0);
});

test('nocopy leaves a new volume empty', async () => {
  const { stdout } = await sh(['-v', `${aVolume()}:/var:nocopy`], 'ls -A /var');

  expect(stdout).toBe('');
});

test('an anonymous volume goes with --rm and with rm -v, and stays with rm', async () => {
  const label = `of=${aVolume()}`;
  const left = () => docker.ok(['volume', 'ls', '-q', '--filter', 'dangling=true']);
  const before = await left();

  await sh(['-v', '/data'], 'touch /data/file');
  expect(await left()).toBe(before);

  const gone = await docker.ok(['create', '--label', label, '-v', '/data', 'busybox']);
  await docker.ok(['rm', '-v', gone]);
  expect(await left()).toBe(before);

  const kept = await docker.ok(['create', '--label', label, '-v', '/data', 'busybox']);
  const name = await docker.ok(['inspect', '--format', '{{(index .Mounts 0).Name}}', kept]);
  await docker.ok(['rm', kept]);
  expect(await left()).toContain(name);
  await docker.ok(['volume', 'rm', name]);
});

test('a volume in use cannot be removed, and says by whom it is used', async () => {
  const volume = aVolume();
  const container = aName();
  const id = await docker.ok(['create', '--name', container, '-v', `${volume}:/x`, 'busybox']);

  const refused = await docker(['volume', 'rm', volume]);
  await docker.ok(['rm', container]);
  const removed = await docker(['volume', 'rm', volume]);

  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`remove ${volume}: volume is in use - [${id}]`);
  expect(removed.stdout).toBe(`${volume}\n`);
});

test('labels and filters choose volumes', async () => {
  const name = aVolume();
  await docker.ok(['volume', 'create', '--label', 'colour=blue', name]);
  const ls = (...filters: readonly string[]) =>
    docker.ok(['volume', 'ls', '-q', ...filters.flatMap((filter) => ['--filter', filter])]);

  expect(await ls('label=colour=blue', `name=${name}`)).toBe(name);
  expect(await ls('label=colour=red')).toBe('');
  expect((await docker(['volume', 'inspect', 'no-such-volume'])).stderr).toMatch(/no such volume/i);
});

test('prune takes what nobody uses', async () => {
  const unused = aVolume();
  const used = aVolume();
  const mark = `mark=${unused}`;
  await docker.ok(['volume', 'create', '--label', mark, unused]);
  await docker.ok(['volume', 'create', '--label', mark, used]);
  await docker.ok(['create', '--name', aName(), '-v', `${used}:/x`, 'busybox']);
  // Whether named volumes are spared without `all` depends on the API version, and only newer ones know the word.
  const isOld = (await docker.ok(['version', '--format', '{{.Client.APIVersion}}'])) < '1.42';
  const all = isOld ? [] : ['--all'];

  const pruned = await docker.ok(['volume', 'prune', '-f', ...all, '--filter', `label=${mark}`]);

  expect(pruned).toContain(unused);
  expect(pruned).not.toContain(used);
});

test('a folder of the host is seen, written to, and with ro only seen', async () => {
  const folder = aFolder();
  writeFileSync(join(folder, 'given'), 'from the host\n');

  const seen = await sh(['-v', `${folder}:/mnt`], 'cat /mnt/given; echo back >/mnt/answer');
  const refused = await sh(
    ['--mount', `type=bind,source=${folder},target=/mnt,readonly`],
    'touch /mnt/other',
  );

  expect(seen.stdout).toBe('from the host\n');
  expect(readFileSync(join(folder, 'answer'), 'utf8')).toBe('back\n');
  expect(refused.stderr).toContain('Read-only file system');
  expect(existsSync(join(folder, 'other'))).toBe(false);
});

test('a single file of the host can be mounted', async () => {
  const file = join(aFolder(), 'file');
  writeFileSync(file, 'one file\n');

  expect((await sh(['-v', `${file}:/etc/one`], 'cat /etc/one')).stdout).toBe('one file\n');
});

test('a missing source is made by -v and refused by --mount', async () => {
  const missing = join(aFolder(), 'not', 'there');

  const refused = await sh(['--mount', `type=bind,source=${missing},target=/mnt`], 'true');
  expect(existsSync(missing)).toBe(false);
  const made = await sh(['-v', `${missing}:/mnt`], 'touch /mnt/file');

  expect(refused.code).toBe(125);
  expect(refused.stderr).toContain(
    `invalid mount config for type "bind": bind source path does not exist: ${missing}`,
  );
  expect(made.code).toBe(0);
  expect(existsSync(join(missing, 'file'))).toBe(true);
});

test('tmpfs by --tmpfs and by --mount', async () => {
  const { stdout } = await sh(
    ['--tmpfs', '/one', '--mount', 'type=tmpfs,target=/two,tmpfs-size=65536,tmpfs-mode=700'],
    `awk '$2=="/one"||$2=="/two"{print $2,$3}' /proc/mounts | sort; stat -c %a /two`,
  );

  expect(stdout).toBe('/one tmpfs\n/two tmpfs\n700\n');
});

test('--volumes-from lends the mounts of another container', async () => {
  const lender = aName();
  const volume = aVolume();
  await docker.ok(['create', '--name', lender, '-v', `${volume}:/data`, 'busybox']);

  const written = await sh(['--volumes-from', lender], 'echo lent >/data/file');
  const refused = await sh(['--volumes-from', `${lender}:ro`], 'cat /data/file; touch /data/x');

  expect(written.code).toBe(0);
  expect(refused.stdout).toBe('lent\n');
  expect(refused.stderr).toContain('Read-only file system');
});

test.for([
  [['-v', '/tmp:/'], "destination can't be '/'"],
  [['-v', 'a:b:c:d'], 'invalid'],
  [['-v', '/tmp:/x:sideways'], 'invalid mode: sideways'],
  [['-v', '_odd:/x'], 'includes invalid characters for a local volume name'],
  [['-v', '/tmp:/x', '-v', '/var:/x'], 'Duplicate mount point: /x'],
  [['--volumes-from', 'nobody'], 'No such container: nobody'],
] as const)('%j is refused before anything is made', async ([args, sentence]) => {
  const { code, stderr } = await run(...args, 'busybox', 'true');

  expect(code).toBe(125);
  expect(stderr).toContain(sentence);
});
