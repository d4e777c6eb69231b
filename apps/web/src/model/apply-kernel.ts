/** One system call more: what the kernel holds after it. For the whole run, and for each container of it. */
import type { SyscallEvent } from '@engine-room/engine/protocol/trace/event.ts';
import type { KernelFacts, KernelObject } from './machine.ts';
import { namespacesMade } from './namespaces.ts';

const LATEST_KEPT = 12;

export const afterCall = <T extends KernelFacts>(facts: T, event: SyscallEvent): T => {
  const before: KernelObject = facts.kernel[event.object] ?? {
    object: event.object,
    count: 0,
    failed: 0,
    latest: [],
  };
  const failed = event.errno !== null;
  const kernelObject: KernelObject = {
    ...before,
    count: before.count + (failed ? 0 : 1),
    failed: before.failed + (failed ? 1 : 0),
    latest: failed ? before.latest : [...before.latest.slice(1 - LATEST_KEPT), event],
  };
  const kernel = { ...facts.kernel, [event.object]: kernelObject };
  if (failed) return { ...facts, kernel };
  const namespaces = namespacesMade(facts.namespaces, event);
  const cgroup = event.object === 'cgroup' ? writeCgroup(facts, event) : facts.cgroup;
  return { ...facts, kernel, namespaces, cgroup };
};

function writeCgroup({ cgroup }: KernelFacts, { attributes }: SyscallEvent): KernelFacts['cgroup'] {
  const path = attributes['engineroom.cgroup.path'];
  const file = attributes['engineroom.cgroup.file'];
  const value = attributes['engineroom.cgroup.value'];
  return {
    path: typeof path === 'string' ? path : cgroup.path,
    files:
      typeof file === 'string' ? { ...cgroup.files, [file]: String(value ?? '') } : cgroup.files,
  };
}
