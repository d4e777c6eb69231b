/** `docker cp`, `export` and `diff`: a container's files from outside, running or not, and never anything else. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pack, type Pack } from 'tar-stream';
import { footprint } from './support/leaks.ts';
import { ask } from './support/ask.ts';
import { aName, docker, engine, ofOursAlone } from './support/suite.ts';

const MAKES_FILES = [
  'mkdir /d /d/sub',
  'echo x >/d/f',
  'ln -s f /d/l',
  'ln -s /etc/passwd /abs',
  'ln -s /d /dl',
  'ln -s /../../../../../.. /up',
  'ln -s /vol /tovol',
  'echo v >/vol/x',
  'echo ready',
  'exec sleep 1000',
].join('; ');

let folder: string;
let running: string;
let stopped: string;

beforeAll(async () => {
  folder = mkdtempSync(join(engine.root, 'cp-'));
  running = `archive-running-${process.pid}`;
  stopped = `archive-stopped-${process.pid}`;
  for (const name of [running, stopped]) {
    const flags = ['-v', '/vol', '--name', name];
    await docker.ok(['run', '-d', ...flags, 'busybox', 'sh', '-c', MAKES_FILES]);
    const logs = docker.start(['logs', '-f', name]);
    await logs.until(/ready/);
    logs.process.kill('SIGKILL');
  }
  await docker.ok(['kill', stopped]);
});

afterAll(async () => {
  await docker(['rm', '-fv', running, stopped]);
  rmSync(folder, { recursive: true, force: true });
});

const nameOf = (which: string): string => (which === 'running' ? running : stopped);

/** The names in an archive that a request answers. */
async function namesAt(container: string, path: string): Promise<string[]> {
  const { status, bytes } = await ask('GET', `/containers/${container}/archive?path=${path}`);
  expect(status).toBe(200);
  return execFileSync('tar', ['-tPf', '-'], { input: bytes, encoding: 'utf8' })
    .trim()
    .split('\n')
    .sort();
}

async function statAt(container: string, path: string): Promise<unknown> {
  const { headers } = await ask('HEAD', `/containers/${container}/archive?path=${path}`);
  const header = headers['x-docker-container-path-stat'];
  return typeof header === 'string'
    ? (JSON.parse(Buffer.from(header, 'base64').toString()) as unknown)
    : undefined;
}

/** A tar made by hand, of what no honest client would send. */
async function tarOf(fill: (tar: Pack) => void): Promise<Buffer> {
  const tar = pack();
  fill(tar);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const put = (container: string, path: string, tar: Buffer, more = '') =>
  ask('PUT', `/containers/${container}/archive?path=${path}${more}`, tar, {
    'Content-Type': 'application/x-tar',
  });

describe.each(['running', 'stopped'])('of a %s container', (which) => {
  test('a file is copied out with its content and mode', async () => {
    await docker.ok(['cp', `${nameOf(which)}:/d/f`, join(folder, `${which}-f`)]);

    expect(readFileSync(join(folder, `${which}-f`), 'utf8')).toBe('x\n');
  });

  test('a folder is copied out whole', async () => {
    await docker.ok(['cp', `${nameOf(which)}:/d`, join(folder, `${which}-d`)]);

    expect(readFileSync(join(folder, `${which}-d`, 'l'), 'utf8')).toBe('x\n');
    expect(statSync(join(folder, `${which}-d`, 'sub')).isDirectory()).toBe(true);
  });

  test('what is in a volume is there too, also behind a link', async () => {
    await docker.ok(['cp', `${nameOf(which)}:/tovol/x`, join(folder, `${which}-x`)]);

    expect(readFileSync(join(folder, `${which}-x`), 'utf8')).toBe('v\n');
  });

  test('a file is copied in with owner, mode and time', async () => {
    const source = join(folder, `${which}-in`);
    writeFileSync(source, 'from outside\n', { mode: 0o640 });
    execFileSync('chown', ['1234:2345', source]);
    execFileSync('touch', ['-d', '2020-02-02T02:02:02Z', source]);

    await docker.ok(['cp', source, `${nameOf(which)}:/d/in`]);

    const listed = await docker(['cp', `${nameOf(which)}:/d/in`, '-'], {});
    const line = execFileSync('tar', ['-tvf', '-', '--numeric-owner', '--utc'], {
      input: listed.stdoutBytes,
      encoding: 'utf8',
    });
    expect(line).toMatch(/^-rw-r----- 1234\/2345 +13 2020-02-02 02:02 in$/m);
  });

  test('a folder is copied in, and its content alone with /.', async () => {
    const source = join(folder, `${which}-tree`);
    mkdirSync(join(source, 'below'), { recursive: true });
    writeFileSync(join(source, 'below', 'file'), which);

    await docker.ok(['cp', source, `${nameOf(which)}:/whole`]);
    await docker.ok(['cp', `${source}/.`, `${nameOf(which)}:/d`]);

    expect(await namesAt(nameOf(which), '/whole')).toEqual([
      'whole/',
      'whole/below/',
      'whole/below/file',
    ]);
    expect(await namesAt(nameOf(which), '/d/below')).toEqual(['below/', 'below/file']);
  });

  test('a path is told with its name, kind and where it leads', async () => {
    const name = nameOf(which);

    expect(await statAt(name, '/d/f')).toMatchObject({ name: 'f', size: 2, mode: 0o644 });
    expect(await statAt(name, '/d')).toMatchObject({ name: 'd', mode: 2 ** 31 + 0o755 });
    expect(await statAt(name, '/d/l')).toMatchObject({ name: 'l', linkTarget: '/d/f' });
    expect(await statAt(name, '/dl')).toMatchObject({ mode: 2 ** 27 + 0o777, linkTarget: '/d' });
    expect(await statAt(name, '/dl/')).toMatchObject({ name: 'dl', mode: 2 ** 31 + 0o755 });
    expect(await statAt(name, '/nosuch')).toBeUndefined();
  });

  test('names in the archive begin with the last name of the path', async () => {
    const name = nameOf(which);

    expect(await namesAt(name, '/d/sub')).toEqual(['sub/']);
    expect(await namesAt(name, '/d/sub/.')).toEqual(['./']);
    expect(await namesAt(name, 'd/f')).toEqual(['f']);
    expect(await namesAt(name, '/dl')).toEqual(['dl']);
  });

  test('no link and no path leads to files of the host', async () => {
    const name = nameOf(which);
    writeFileSync('/tmp/only-on-the-host', 'secret');

    for (const path of ['/up/tmp/only-on-the-host', '/../../tmp/only-on-the-host'])
      expect((await ask('GET', `/containers/${name}/archive?path=${path}`)).status).toBe(404);
    rmSync('/tmp/only-on-the-host');
  });

  test('no archive writes outside of the container', async () => {
    const name = nameOf(which);
    const climbing = await tarOf((tar) => tar.entry({ name: '../../../tmp/climbed' }, 'x'));
    const linking = await tarOf((tar) => {
      tar.entry({ name: 'way', type: 'symlink', linkname: '/../../../../tmp' });
      tar.entry({ name: 'way/linked' }, 'x');
    });
    const hard = await tarOf((tar) =>
      tar.entry({ name: 'shadow', type: 'link', linkname: '../../../../etc/shadow' }),
    );

    await put(name, '/d', climbing);
    await put(name, '/d', linking);
    const hardLink = await put(name, '/d', hard);

    expect(existsSync('/tmp/climbed')).toBe(false);
    expect(existsSync('/tmp/linked')).toBe(false);
    expect(hardLink.status).toBeGreaterThanOrEqual(400);
  });

  test('a folder and a file do not take each other’s place when told so', async () => {
    const name = nameOf(which);
    const file = await tarOf((tar) => tar.entry({ name: 'sub' }, 'x'));
    const directory = await tarOf((tar) => tar.entry({ name: 'f', type: 'directory' }));

    const refused = await put(name, '/d', file, '&noOverwriteDirNonDir=1');
    const alsoRefused = await put(name, '/d', directory, '&noOverwriteDirNonDir=1');

    expect(refused.json).toMatchObject({
      message: expect.stringContaining('cannot overwrite directory'),
    });
    expect(alsoRefused.json).toMatchObject({
      message: expect.stringContaining('cannot overwrite non-directory'),
    });
    expect(await statAt(name, '/d/sub')).toMatchObject({ mode: 2 ** 31 + 0o755 });
  });

  test('export has the container’s files, and not those of its volume', async () => {
    const { stdoutBytes } = await docker(['export', nameOf(which)], {});
    const names = execFileSync('tar', ['-tf', '-'], { input: stdoutBytes, encoding: 'utf8' });

    expect(names.split('\n')).toEqual(
      expect.arrayContaining(['bin/busybox', 'd/', 'd/f', 'd/l', 'abs', 'vol/', 'proc/']),
    );
    expect(names).not.toContain('vol/x');
  });

  test('what is not there is told in the words of Docker', async () => {
    const name = nameOf(which);

    const out = await docker(['cp', `${name}:/nosuch`, folder]);
    const into = await put(name, '/d/f', await tarOf((tar) => tar.entry({ name: 'x' }, '')));
    const empty = await ask('GET', `/containers/${name}/archive?path=`);

    expect(out.code).toBe(1);
    // The client's words, from 23 on and before.
    expect(out.stderr).toMatch(
      /Could not find the file \/nosuch in|No such container:path: \S+:\/nosuch/,
    );
    expect(into.json).toEqual({ message: 'extraction point is not a directory' });
    expect(empty.status).toBe(400);
  });
});

test('what is read-only stays so', async () => {
  const name = aName();
  const flags = ['--read-only', '-v', `${folder}:/host:ro`, '--name', name];
  await docker.ok(['create', ...flags, 'busybox', 'true']);

  const root = await docker(['cp', '/etc/hostname', `${name}:/x`]);
  const volume = await docker(['cp', '/etc/hostname', `${name}:/host/x`]);

  expect(root.stderr).toContain('container rootfs is marked read-only');
  expect(volume.stderr).toContain('mounted volume is marked read-only');
});

test('diff names what was added, changed and deleted', async () => {
  const name = aName();
  const script = 'rm /bin/vi; echo x >>/etc/passwd; mkdir /new; touch /new/f; touch /t; rm /t';
  await docker.ok(['run', '--name', name, '--tmpfs', '/tm', 'busybox', 'sh', '-c', script]);

  const changes = (await docker.ok(['diff', name])).split('\n').sort();

  expect(changes).toEqual([
    'A /new',
    'A /new/f',
    'A /tm',
    'C /bin',
    'C /etc',
    'C /etc/passwd',
    'D /bin/vi',
  ]);
});

test('the files that a container will get are places already before its start, and no change', async () => {
  const name = aName();
  await docker.ok(['create', '--name', name, 'busybox', 'true']);
  for (const file of ['hosts', 'hostname', 'resolv.conf'])
    expect((await docker(['cp', `${name}:/etc/${file}`, '-'])).code, file).toBe(0);
  expect(await docker.ok(['diff', name])).toBe('');
});

test('diff of an untouched container is empty', async () => {
  const name = aName();
  await docker.ok(['run', '--name', name, 'busybox', 'true']);

  expect(await docker.ok(['diff', name])).toBe('');
});

ofOursAlone('a client that goes in the middle leaves no mount behind', async () => {
  const name = aName();
  await docker.ok(['create', '--name', name, 'busybox', 'true']);
  const before = footprint(engine).mounts;
  const copying = docker.start(['cp', `${name}:/bin/busybox`, '-']);
  copying.process.stdout.once('data', () => copying.process.kill('SIGKILL'));
  await copying.finished;

  // The lock of the container is free again when the archive has ended.
  await docker.ok(['start', '-a', name]);

  expect(footprint(engine).mounts).toEqual(before);
});
