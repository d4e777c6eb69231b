/** Keys in anybody's spelling, at every depth; keys that are data stay as they are. */
import { expect, test } from 'vitest';
import { ContainerCreateBody } from '../../protocol/docker-engine-api/containers.ts';
import { VolumeCreateBody } from '../../protocol/docker-engine-api/volumes.ts';
import { parseBody } from './body.ts';

const parsed = <T>(schema: Parameters<typeof parseBody>[0], body: unknown): T =>
  parseBody(schema, Buffer.from(JSON.stringify(body))) as T;

test('keys are known in any case', () => {
  expect(parsed(VolumeCreateBody, { name: 'v', LABELS: { aB: 'c' } })).toMatchObject({
    Name: 'v',
    Labels: { aB: 'c' },
  });
  expect(
    parsed(ContainerCreateBody, {
      image: 'busybox',
      hostconfig: { logconfig: { type: 'none' }, ulimits: [{ name: 'nofile', soft: 1, hard: 2 }] },
      networkingConfig: { endpointsconfig: { Net: { aliases: ['a'] } } },
    }),
  ).toMatchObject({
    Image: 'busybox',
    HostConfig: {
      LogConfig: { Type: 'none' },
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
    },
    NetworkingConfig: { EndpointsConfig: { Net: { Aliases: ['a'] } } },
  });
});

test('a key that means something else to JavaScript is only a key', () => {
  const body = Buffer.from('{"__proto__":{"Image":"x"},"constructor":1,"Image":"busybox"}');

  expect(parseBody(ContainerCreateBody, body).Image).toBe('busybox');
});
