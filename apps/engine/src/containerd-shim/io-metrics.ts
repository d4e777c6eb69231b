/**
 * What a container has read from and written to disks.
 * Kernel admin-guide/cgroup-v1/blkio-controller.rst, cgroup-v2.rst. Upstream: containerd cgroups cgroup1/blkio.go, cgroup2/manager.go.
 */
import type { ContainerCgroup } from './container-cgroup.ts';

interface V1Entry {
  readonly op: string;
  readonly major: bigint;
  readonly minor: bigint;
  readonly value: bigint;
}

/** Lines "8:0 Read 4096". The sum over all devices, "Total 4096", is no device's. */
const v1Entries = (text: string | null): V1Entry[] =>
  [...(text ?? '').matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)].map(
    ([, major = '0', minor = '0', op = '', value = '0']) => ({
      op,
      major: BigInt(major),
      minor: BigInt(minor),
      value: BigInt(value),
    }),
  );

/** A scheduler that counts has files of its own; where it counts nothing, the layer above it has counted. */
const readEntries = (cgroup: ContainerCgroup, counter: string): V1Entry[] => {
  const ofScheduler = v1Entries(cgroup.read('blkio', `blkio.${counter}_recursive`));
  return ofScheduler.length > 0
    ? ofScheduler
    : v1Entries(cgroup.read('blkio', `blkio.throttle.${counter}`));
};

export const ioMetricsV1 = (cgroup: ContainerCgroup) => ({
  ioServiceBytesRecursive: readEntries(cgroup, 'io_service_bytes'),
  ioServicedRecursive: readEntries(cgroup, 'io_serviced'),
});

/** io.stat: lines "8:0 rbytes=1 wbytes=2 rios=3 wios=4 …" */
export const ioMetricsV2 = (cgroup: ContainerCgroup) => ({
  usage: [...(cgroup.read('io', 'io.stat') ?? '').matchAll(/^(\d+):(\d+)((?: \w+=\d+)+)$/gm)].map(
    ([, major = '0', minor = '0', counters = '']) => {
      const of = (name: string): bigint =>
        BigInt(new RegExp(` ${name}=(\\d+)`).exec(counters)?.[1] ?? '0');
      return {
        major: BigInt(major),
        minor: BigInt(minor),
        rbytes: of('rbytes'),
        wbytes: of('wbytes'),
        rios: of('rios'),
        wios: of('wios'),
      };
    },
  ),
});
