import { expect, test } from 'vitest';
import { MountRequest } from '../../protocol/docker-engine-api/volumes.ts';
import { parseBind, parseMount, parseMountPoints, parseVolumesFrom } from './mount-points.ts';

const mount = (asked: unknown) => parseMount(MountRequest.parse(asked));
const points = (asked: Partial<Parameters<typeof parseMountPoints>[0]>) =>
  parseMountPoints({ binds: [], mounts: [], volumes: [], tmpfs: [], inherited: [], ...asked });

test.each([
  ['/src:/dst', { type: 'bind', source: '/src', destination: '/dst', propagation: 'rprivate' }],
  ['/src/:/dst/../x/:ro', { type: 'bind', source: '/src', destination: '/x', isWritable: false }],
  ['data:/dst', { type: 'volume', name: 'data', isNamed: true, copiesUp: true }],
  ['data:/dst:nocopy', { type: 'volume', copiesUp: false, mode: 'nocopy' }],
  ['/dst', { type: 'volume', name: '', isNamed: false, destination: '/dst' }],
])('-v %s', (spec, expected) => {
  expect(parseBind(spec)).toMatchObject(expected);
});

test.each([
  ['a:b:c:d', "invalid volume specification: 'a:b:c:d'"],
  [
    '/tmp:/',
    `invalid volume specification: '/tmp:/': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
  ],
  [
    'data:rel',
    `invalid volume specification: 'data:rel': invalid mount config for type "volume": invalid mount path: 'rel' mount path must be absolute`,
  ],
  ['data:/x/..', "destination can't be '/'"],
  ['../data:/x', 'includes invalid characters for a local volume name'],
  ['/a:/b:sideways', 'invalid mode: sideways'],
  ['/a:/b:ro,rw', 'invalid mode: ro,rw'],
  ['data:/b:rprivate', 'invalid mode: rprivate'],
])('-v %s is refused', (spec, sentence) => {
  expect(() => parseBind(spec)).toThrow(sentence);
});

test.each([
  [{ Type: 'bind', Source: '/no/such', Target: '/x' }, 'bind source path does not exist: /no/such'],
  [{ Type: 'bind', Source: '/', Target: '' }, 'field Target must not be empty'],
  [{ Type: 'tmpfs', Source: 'x', Target: '/x' }, 'field Source must not be specified'],
  [{ Type: 'odd', Target: '/x' }, 'invalid mount config for type "odd": mount type unknown'],
  [
    { Type: 'volume', Target: '/x', VolumeOptions: { Subpath: 'y' } },
    'not supported by this daemon yet',
  ],
  [{ Type: 'volume', Target: '/x', VolumeOptions: { DriverConfig: { Name: 'nfs' } } }, '"nfs"'],
])('--mount %j is refused', (asked, sentence) => {
  expect(() => mount(asked)).toThrow(sentence);
});

test('a tmpfs mount has its size and its mode', () => {
  const asked = { Type: 'tmpfs', Target: '/x', TmpfsOptions: { SizeBytes: 4096, Mode: 0o700 } };

  expect(mount(asked).tmpfsOptions).toEqual(['size=4096', 'mode=700']);
});

test('two mounts at one place are refused, also when one is a tmpfs', () => {
  expect(() => points({ binds: ['/a:/x', 'data:/x/'] })).toThrow('Duplicate mount point: /x');
  expect(() => points({ binds: ['/a:/x'], tmpfs: ['/x'] })).toThrow('Duplicate mount point: /x');
});

test('what the user mounts wins over the image and over another container', () => {
  const inherited = [parseBind('theirs:/data'), parseBind('kept:/kept')];

  const found = points({ inherited, binds: ['mine:/data'], volumes: ['/data', '/more'] });

  expect(found.map(({ name, destination }) => [destination, name])).toEqual([
    ['/data', 'mine'],
    ['/kept', 'kept'],
    ['/more', ''],
  ]);
});

test('--volumes-from', () => {
  expect(parseVolumesFrom('box:ro')).toEqual({ container: 'box', isReadOnly: true });
  expect(() => parseVolumesFrom('')).toThrow('cannot be an empty string');
  expect(() => parseVolumesFrom('box:odd')).toThrow('odd');
});
