/** What dockerd keeps of a busybox container that was created and not started. */
import { ContainerConfig } from '../../../protocol/docker-engine-api/containers.ts';
import { newRecord, type ContainerRecord } from '../container.ts';

export const A_CONTAINER_ID = 'ab'.repeat(32);

export const aRecord = (id = A_CONTAINER_ID, name = 'one'): ContainerRecord =>
  newRecord({
    id,
    name,
    created: '2026-01-01T00:00:00Z',
    config: ContainerConfig.parse({ Image: 'busybox' }),
    imageId: 'sha256:1',
    imageRef: 'busybox',
    isAutoRemove: false,
    path: 'sh',
    args: [],
    createdIn: null,
  });
