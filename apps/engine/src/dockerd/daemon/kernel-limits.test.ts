import { expect, test } from 'vitest';
import { HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import { kernelLimits, withinKernel, type KernelLimits } from './kernel-limits.ts';

const every = (has: boolean): KernelLimits =>
  Object.fromEntries(
    Object.keys(kernelLimits()).map((name) => [name, has]),
  ) as unknown as KernelLimits;

const ASKED = HostConfig.parse({
  Memory: 1e8,
  BlkioWeight: 300,
  CpuShares: 5,
  BlkioDeviceReadBps: [{ Path: '/dev/null', Rate: 1 }],
});

test('what the kernel can do stays as it was asked for', () => {
  expect(withinKernel(ASKED, every(true))).toEqual({ host: ASKED, warnings: [] });
});

test('what it cannot is dropped with a warning, one each', () => {
  const { host, warnings } = withinKernel(ASKED, every(false));

  expect(host).toMatchObject({
    Memory: 0,
    MemorySwap: -1,
    BlkioWeight: 0,
    CpuShares: 0,
    BlkioDeviceReadBps: [],
  });
  expect(warnings).toHaveLength(4);
  expect(warnings).toContain(
    'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
  );
});

test('a weight out of range is refused, where there are weights', () => {
  const asked = { ...ASKED, BlkioWeight: 5 };

  expect(() => withinKernel(asked, every(true))).toThrow(
    'Range of blkio weight is from 10 to 1000',
  );
  expect(withinKernel(asked, every(false)).host.BlkioWeight).toBe(0);
});
