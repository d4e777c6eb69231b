/** Images without a registry: names, history, archives, commit and import. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { aName, docker } from './support/suite.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'images-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const names: string[] = [];
/** A name for an image that is removed after the test. */
const anImage = (name: string): string => {
  names.push(name);
  return name;
};
afterEach(async () => {
  for (const name of names.splice(0)) await docker(['rmi', '--force', name]);
});

const idOf = (name: string) => docker.ok(['images', '--quiet', '--no-trunc', name]);

describe('names', () => {
  test('a tag is one more name, and goes without the image', async () => {
    const copy = anImage('example.com/images/copy:1');
    await docker.ok(['tag', 'busybox', copy]);

    expect(await idOf(copy)).toBe(await idOf('busybox'));
    expect(await docker.ok(['images', '--format', '{{.Repository}}:{{.Tag}}'])).toContain(copy);
    expect(await docker.ok(['rmi', copy])).toBe(`Untagged: ${copy}`);
    expect(await idOf(copy)).toBe('');
    await docker.ok(['run', '--rm', 'busybox', 'true']);
  });

  test.each([
    [['tag', 'nothing:1', 'x:1'], 'No such image: nothing:1'],
    [['tag', 'busybox', 'UPPER'], 'invalid reference format'],
    [['rmi', 'nothing:1'], 'No such image: nothing:1'],
    [['history', 'nothing:1'], 'No such image: nothing:1'],
    [['images', '--filter', 'colour=red'], 'invalid filter'],
  ])('docker %j is refused', async (args, words) => {
    const { code, stderr } = await docker(args);

    expect(code).not.toBe(0);
    expect(stderr.toLowerCase()).toContain(words.toLowerCase());
  });

  test('an image in use is kept until it is forced', async () => {
    const image = anImage('in-use:1');
    await docker.ok(['import', '--change', 'CMD ["true"]', await busyboxTar(), image]);
    const container = aName();
    await docker.ok(['create', '--name', container, image, '/bin/busybox', 'true']);

    const refused = await docker(['rmi', image]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      'conflict: unable to remove repository reference "in-use:1" (must force)',
    );
    expect(await idOf(image)).not.toBe('');
  });

  test('filters choose', async () => {
    const image = anImage('filters/one:1');
    await docker.ok(['tag', 'busybox', image]);
    const listed = (...filters: string[]) =>
      docker.ok([
        'images',
        '--format',
        '{{.Repository}}',
        ...filters.flatMap((each) => ['--filter', each]),
      ]);

    expect(await listed('reference=filters/*')).toBe('filters/one');
    expect(await listed('reference=filters/one:2')).toBe('');
    expect(await listed('dangling=true')).not.toContain('busybox');
    expect(await listed('label=nobody-has-this')).toBe('');
  });
});

/** A root filesystem as `docker export` gives it. */
const busyboxTar = async (): Promise<string> => {
  const path = join(folder, 'root.tar');
  const container = aName();
  await docker.ok(['create', '--name', container, 'busybox', 'true']);
  await docker.ok(['export', '--output', path, container]);
  return path;
};

describe('an archive', () => {
  test('of docker save can be loaded again, with the same id', async () => {
    const image = anImage('saved/image:1');
    const path = join(folder, 'saved.tar');
    await docker.ok(['tag', 'busybox', image]);
    const id = await idOf(image);

    await docker.ok(['save', '--output', path, image]);
    await docker.ok(['rmi', image]);
    expect(await docker.ok(['load', '--input', path])).toBe(`Loaded image: ${image}`);

    expect(await idOf(image)).toBe(id);
    const listed = execFileSync('tar', ['-tf', path], { encoding: 'utf8' });
    expect(listed).toContain('manifest.json');
  });

  test('that nobody has is refused before a byte is written', async () => {
    const { code, stderr } = await docker([
      'save',
      '--output',
      join(folder, 'no.tar'),
      'nothing:1',
    ]);

    expect(code).toBe(1);
    expect(stderr).toMatch(/No such image: nothing:1|reference does not exist/);
  });
});

describe('commit', () => {
  test('keeps what the container wrote, removed and was told, as one more layer', async () => {
    const image = anImage('committed/image:1');
    const container = aName();
    await docker.ok([
      'run',
      '--name',
      container,
      '--env',
      'FROM=container',
      'busybox',
      'sh',
      '-c',
      'echo kept > /kept; chmod 4711 /kept; rm /etc/group; mkdir /folder; ln -s /kept /folder/link',
    ]);

    const id = await docker.ok([
      'commit',
      '--message',
      'why not',
      '--author',
      'Somebody',
      '--change',
      'CMD cat /kept',
      '--change',
      'ENV A=b',
      container,
      image,
    ]);

    expect(id).toBe(await idOf(image));
    expect(await docker.ok(['run', '--rm', image])).toBe('kept');
    const looked = await docker.ok([
      'run',
      '--rm',
      image,
      'sh',
      '-c',
      'stat -c %a /kept; ls /etc/group || true; readlink /folder/link; echo $FROM $A',
    ]);
    expect(looked.split('\n')).toEqual(['4711', '/kept', 'container b']);
    const history = await docker.ok([
      'history',
      '--no-trunc',
      '--format',
      '{{.Comment}}|{{.CreatedBy}}',
      image,
    ]);
    expect(history.split('\n')[0]).toMatch(/^why not\|sh -c echo kept/);
    const inspected = JSON.parse(await docker.ok(['image', 'inspect', image])) as Record<
      string,
      unknown
    >[];
    expect(inspected[0]).toMatchObject({ Author: 'Somebody', Comment: 'why not' });
  });

  test('of a running container pauses it only for the moment', async () => {
    const image = anImage('committed/running:1');
    const container = aName();
    await docker.ok(['run', '--detach', '--name', container, 'busybox', 'sleep', '1000']);

    await docker.ok(['commit', container, image]);

    expect((await docker.inspect(container)).State.Status).toBe('running');
    await docker.ok(['run', '--rm', image, 'true']);
  });

  test.each([['NONSENSE x'], ['EXPOSE 99999'], ['ENV']])(
    'with the change %s is refused',
    async (change) => {
      const container = aName();
      await docker.ok(['create', '--name', container, 'busybox', 'true']);

      expect((await docker(['commit', '--change', change, container])).code).toBe(1);
    },
  );
});

describe('import', () => {
  test('makes an image of a root filesystem, plain or compressed', async () => {
    const image = anImage('imported/image:1');
    const path = await busyboxTar();

    const id = await docker.ok([
      'import',
      '--message',
      'from a tar',
      '--change',
      'ENTRYPOINT ["/bin/echo"]',
      path,
      image,
    ]);
    const zipped = `${path}.gz`;
    writeFileSync(zipped, execFileSync('gzip', ['-c', path], { maxBuffer: 64 * 1024 * 1024 }));
    await docker.ok(['import', zipped, anImage('imported/zipped:1')]);

    expect(id).toBe(await idOf(image));
    expect(await docker.ok(['run', '--rm', image, 'hello'])).toBe('hello');
    expect(await docker.ok(['run', '--rm', 'imported/zipped:1', '/bin/echo', 'too'])).toBe('too');
    expect(await docker.ok(['history', '--format', '{{.Comment}}', image])).toBe('from a tar');
    expect(readFileSync(path).length).toBeGreaterThan(100_000);
  });
});

describe('an image that lost its name', () => {
  test('is dangling, and goes with prune', async () => {
    const image = anImage('dangling/image:1');
    const path = await busyboxTar();
    const first = await docker.ok(['import', '--message', 'first', path, image]);
    const second = await docker.ok(['import', '--message', 'second', path, image]);
    expect(first).not.toBe(second);
    const dangling = () =>
      docker.ok(['images', '--quiet', '--no-trunc', '--filter', 'dangling=true']);
    expect(await dangling()).toContain(first);

    const pruned = await docker.ok(['image', 'prune', '--force']);

    expect(pruned).toContain(first);
    expect(pruned).toMatch(/Total reclaimed space: \d/);
    expect(await dangling()).not.toContain(first);
    expect(await idOf(image)).toBe(second);
    await docker.ok(['run', '--rm', image, '/bin/true']);
  });
});
