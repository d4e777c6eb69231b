/** `docker update`: new limits and another restart policy, while it runs. Upstream: moby daemon/update.go. */
import type { HostConfig, UpdateBody } from '../../protocol/docker-engine-api/containers.ts';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import { containerResources } from '../oci/resources.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';
import { checkLimits, checkRestartPolicy } from './validate.ts';

export const update = async (
  daemon: Daemon,
  container: Container,
  asked: UpdateBody,
): Promise<readonly string[]> => {
  checkLimits({ ...container.hostConfig, ...ZERO_LIMITS, ...given(asked) });
  checkRestartPolicy(asked.RestartPolicy);
  await container.exclusively(async () => {
    if (container.isRemoving || ['removing', 'dead'].includes(container.state.status)) {
      throw cannot(container, 'container is marked for removal and cannot be "update"');
    }
    const host = merged(container, asked);
    if (isRunning(container.state) && container.state.status !== 'restarting') {
      await daemon.measures
        .update(container.id, containerResources(host, []))
        .catch((error: unknown) => {
          throw cannot(container, messageOf(error));
        });
    }
    await daemon.store.saveHost(container, host);
  });
  daemon.events.emit(containerEvent(container, 'update'));
  return [];
};

const cannot = ({ id }: Container, why: string): EngineError =>
  new EngineError('conflict', `Cannot update container ${id}: ${why}`);

const ZERO_LIMITS = {
  Memory: 0,
  MemorySwap: 0,
  MemoryReservation: 0,
  NanoCpus: 0,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpusetCpus: '',
};

/** 0 and empty mean: as it was. */
const given = (asked: UpdateBody): Partial<HostConfig> =>
  Object.fromEntries(
    Object.entries(asked).filter(
      ([name, value]) => name !== 'RestartPolicy' && value !== 0 && value !== '' && value !== null,
    ),
  );

const merged = (container: Container, asked: UpdateBody): HostConfig => {
  const { hostConfig: was } = container;
  if (asked.NanoCpus > 0 && (was.CpuPeriod > 0 || was.CpuQuota > 0)) {
    const what = was.CpuPeriod > 0 ? 'CPU Period' : 'CPU Quota';
    throw cannot(
      container,
      `Conflicting options: Nano CPUs cannot be updated as ${what} has already been set`,
    );
  }
  if ((asked.CpuPeriod > 0 || asked.CpuQuota > 0) && was.NanoCpus > 0) {
    const what = asked.CpuPeriod > 0 ? 'CPU Period' : 'CPU Quota';
    throw cannot(
      container,
      `Conflicting options: ${what} cannot be updated as NanoCPUs has already been set`,
    );
  }
  if (asked.Memory > was.MemorySwap && asked.MemorySwap === 0) {
    throw cannot(
      container,
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
  }
  const { RestartPolicy } = asked;
  if (RestartPolicy.Name !== '' && was.AutoRemove && RestartPolicy.Name !== 'no') {
    throw cannot(
      container,
      'Restart policy cannot be updated because AutoRemove is enabled for the container',
    );
  }
  return {
    ...was,
    ...given(asked),
    ...(RestartPolicy.Name === '' ? {} : { RestartPolicy }),
  };
};
