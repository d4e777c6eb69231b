/**
 * Limits of remote memory access, one line a device: the same on both versions of cgroups.
 * kernel Documentation/admin-guide/cgroup-v1/rdma.rst. Upstream: opencontainers/cgroups fscommon/rdma.go.
 */
import type { LinuxResources } from '../../protocol/oci/runtime-spec.ts';
import type { Limit } from './setup.ts';

export const rdmaLimits = ({ rdma }: LinuxResources): Limit[] =>
  Object.entries(rdma ?? {}).map(([device, { hcaHandles, hcaObjects }]) => ({
    file: 'rdma.max',
    value: `${device} hca_handle=${hcaHandles ?? 'max'} hca_object=${hcaObjects ?? 'max'}`,
    title: `of the device ${device}, at most ${hcaHandles ?? 'any number of'} handles and ${hcaObjects ?? 'any number of'} objects`,
  }));
