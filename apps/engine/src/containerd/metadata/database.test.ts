import { create } from '@bufbuild/protobuf';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ContainerSchema } from '../../protocol/gen/containerd/containers_pb.ts';
import { ContainerStore } from './container-store.ts';
import { jsonCodec, MetadataDatabase } from './database.ts';
import { LeaseStore } from './lease-store.ts';
import { NamespaceStore } from './namespace-store.ts';

let folder: string;
let database: MetadataDatabase;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meta-'));
  database = MetadataDatabase.open(folder);
});
afterEach(async () => {
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

const spec = {
  typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec',
  value: new Uint8Array([123, 125]),
};
const aContainer = (fields: { id: string; labels?: Record<string, string>; image?: string }) =>
  create(ContainerSchema, { runtime: { name: 'io.containerd.engineroom.v2' }, spec, ...fields });

describe('the database', () => {
  test('does all of a transaction or nothing', () => {
    const table = database.table('t', jsonCodec<number>());

    expect(() =>
      database.transaction(() => {
        table.put(['a'], 1);
        throw new Error('in the middle');
      }),
    ).toThrow('in the middle');

    expect(table.get(['a'])).toBeUndefined();
  });

  test('lists exactly what is below a prefix', () => {
    const table = database.table('t', jsonCodec<number>());
    database.transaction(() => {
      table.put(['moby', 'a'], 1);
      table.put(['moby', 'b'], 2);
      table.put(['moby2', 'a'], 3);
      table.put(['mob', 'z'], 4);
    });

    expect(table.list(['moby']).map(({ value }) => value)).toEqual([1, 2]);
  });

  test('is found again after a restart', async () => {
    const containers = new ContainerStore(database, new NamespaceStore(database));
    containers.create('moby', aContainer({ id: 'c', labels: { a: 'b' } }));
    await database.close();

    database = MetadataDatabase.open(folder);

    const found = new ContainerStore(database, new NamespaceStore(database)).get('moby', 'c');
    expect([found.labels, found.spec?.value, found.createdAt?.seconds]).toEqual([
      { a: 'b' },
      spec.value,
      expect.any(BigInt),
    ]);
  });

  test('of another schema version is left alone', async () => {
    database.transaction(() => database.table('schema', jsonCodec<number>()).put(['version'], 99));
    await database.close();

    expect(() => MetadataDatabase.open(folder)).toThrow('schema version 99');
  });
});

describe('containers', () => {
  const stores = () => {
    const namespaces = new NamespaceStore(database);
    return { namespaces, containers: new ContainerStore(database, namespaces) };
  };

  test("of one namespace are unknown in another, in containerd's words", () => {
    const { containers } = stores();
    containers.create('moby', aContainer({ id: 'x' }));

    expect(() => containers.get('ns', 'x')).toThrow(
      expect.objectContaining({
        kind: 'not_found',
        message: 'container "x" in namespace "ns": not found',
      }),
    );
    expect(containers.list('ns')).toEqual([]);
  });

  test('exist once', () => {
    const { containers } = stores();
    containers.create('moby', aContainer({ id: 'x' }));

    expect(() => containers.create('moby', aContainer({ id: 'x' }))).toThrow(
      expect.objectContaining({ kind: 'already_exists', message: 'container "x": already exists' }),
    );
  });

  test('make their namespace', () => {
    const { namespaces, containers } = stores();

    containers.create('moby', aContainer({ id: 'x' }));

    expect(namespaces.list().map(({ name }) => name)).toEqual(['moby']);
  });

  test.each([
    ['../x', 'must match'],
    ['', 'must not be empty'],
    ['x'.repeat(77), 'maximum length'],
    ['a..b', 'must match'],
  ])('cannot be called "%s"', (id, problem) => {
    expect(() => stores().containers.create('moby', aContainer({ id }))).toThrow(problem);
  });

  test('change only where the mask says', () => {
    const { containers } = stores();
    containers.create(
      'moby',
      aContainer({ id: 'x', image: 'old', labels: { keep: '1', drop: '2' } }),
    );

    const updated = containers.update(
      'moby',
      aContainer({ id: 'x', image: 'new', labels: { drop: '', add: '3' } }),
      ['labels.drop', 'labels.add'],
    );

    expect([updated.image, updated.labels]).toEqual(['old', { keep: '1', add: '3' }]);
    expect(() => containers.update('moby', aContainer({ id: 'x' }), ['runtime'])).toThrow(
      'cannot update "runtime" field',
    );
  });

  test('are found by filters', () => {
    const { containers } = stores();
    containers.create('moby', aContainer({ id: 'a', labels: { role: 'db' } }));
    containers.create('moby', aContainer({ id: 'b', labels: { role: 'web' } }));

    expect(containers.list('moby', ['labels.role==web']).map(({ id }) => id)).toEqual(['b']);
    expect(
      containers.list('moby', ['runtime.name==io.containerd.engineroom.v2', 'id==a']),
    ).toHaveLength(2);
  });
});

describe('namespaces and leases', () => {
  test('a namespace that is not empty stays', () => {
    const namespaces = new NamespaceStore(database);
    namespaces.create('ns', {});

    expect(() => namespaces.delete('ns', () => ['containers'])).toThrow(
      expect.objectContaining({
        kind: 'failed_precondition',
        message: expect.stringContaining('containers') as string,
      }),
    );
    namespaces.delete('ns', () => []);
    expect(namespaces.list()).toEqual([]);
  });

  test('a lease takes its resources along', () => {
    const leases = new LeaseStore(database, new NamespaceStore(database));
    const { id } = leases.create('moby', '', {});
    leases.addResource('moby', id, { id: 'sha256:abc', type: 'content' });
    expect(leases.listResources('moby', id)).toEqual([{ id: 'sha256:abc', type: 'content' }]);

    leases.delete('moby', id);

    expect(() => leases.delete('moby', id)).toThrow(expect.objectContaining({ kind: 'not_found' }));
    leases.create('moby', id, {});
    expect(leases.listResources('moby', id)).toEqual([]);
  });
});
