/**
 * A time namespace: the clocks that count from the boot count from another moment. runc makes it for its next child, and
 * sets the offsets while nobody is in it. time_namespaces(7), OCI config-linux.md#offset-for-time-namespace.
 * Upstream: runc libcontainer/container_linux.go, nsenter/nsexec.c.
 */
import { type Compilation, refuse } from './compilation.ts';
import { hasNew, namespaceOf } from './namespaces.ts';
import { CLONE } from './plan/constants.ts';
import { flags } from './plan/stage-builder.ts';

export const checkTimeNamespace = (c: Compilation): void => {
  const namespace = namespaceOf(c, 'time');
  const offsets = Object.keys(c.linux.timeOffsets ?? {});
  if (offsets.length > 0 && !namespace)
    refuse("time namespace offsets specified, but TIME namespace isn't enabled in the config");
  // The kernel takes them only while nobody is in it.
  if (offsets.length > 0 && namespace?.path)
    refuse('the offsets of an existing time namespace cannot be changed');
  const unknown = offsets.find((clock) => clock !== 'monotonic' && clock !== 'boottime');
  if (unknown !== undefined) refuse(`a time namespace has no clock ${JSON.stringify(unknown)}`);
};

export const makeTimeNamespace = (c: Compilation): void => {
  if (!hasNew(c, 'time')) return;
  c.parent.call('unshare', [flags(CLONE, CLONE.CLONE_NEWTIME)], {
    title: 'the next child is born in a time namespace of its own',
    object: 'namespace',
    level: 'step',
    source: __SOURCE__,
    reference: 'man:time_namespaces(7)',
    purpose: 'namespace',
  });
  for (const [clock, { secs, nanosecs }] of Object.entries(c.linux.timeOffsets ?? {})) {
    c.parent.writeFile('/proc/self/timens_offsets', `${clock} ${secs ?? 0} ${nanosecs ?? 0}\n`, {
      title: `its clock ${clock} is ${secs ?? 0} s ahead`,
      object: 'namespace',
      source: __SOURCE__,
      reference: 'man:time_namespaces(7)',
      purpose: 'namespace',
    });
  }
};
