/**
 * How the kernel serves the program: its turn on the processors and disks, and which Linux it seems to be.
 * sched_setattr(2), ioprio_set(2), personality(2), OCI config.md#process, config-linux.md#personality.
 * Upstream: runc libcontainer/init_linux.go (setupScheduler, setupIOPriority, setupPersonality).
 */
import { type Compilation, refuse } from './compilation.ts';
import { number, pack, struct } from './plan/stage-builder.ts';

/** linux/sched.h */
const POLICY = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
} as const;
const FLAG = {
  SCHED_FLAG_RESET_ON_FORK: 0x01,
  SCHED_FLAG_RECLAIM: 0x02,
  SCHED_FLAG_DL_OVERRUN: 0x04,
  SCHED_FLAG_KEEP_POLICY: 0x08,
  SCHED_FLAG_KEEP_PARAMS: 0x10,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20,
  SCHED_FLAG_UTIL_CLAMP_MAX: 0x40,
} as const;
/** linux/ioprio.h */
const IO_CLASS = { IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 } as const;
const IOPRIO_WHO_PROCESS = 1;
/** linux/personality.h */
const DOMAIN = { LINUX: 0x0, LINUX32: 0x8 } as const;

/** A field that the policy does not know would be dropped by the kernel without a word. */
export const checkScheduling = (c: Compilation): void => {
  const wanted = c.process.scheduler;
  if (wanted) {
    const { policy, priority, runtime, deadline, period } = wanted;
    if (priority && policy !== 'SCHED_FIFO' && policy !== 'SCHED_RR')
      refuse('scheduler.priority can only be specified for SchedFIFO or SchedRR policy');
    if (policy !== 'SCHED_DEADLINE' && (runtime || deadline || period))
      refuse('scheduler runtime/deadline/period can only be specified for SchedDeadline policy');
  }
  const flags = c.linux.personality?.flags ?? [];
  if (flags.length > 0) refuse('unable to set personality: flags are not supported');
};

/** Before the capabilities go: a better place than the default needs CAP_SYS_NICE. */
export const setScheduler = (c: Compilation): void => {
  const wanted = c.process.scheduler;
  if (!wanted) return;
  const { policy, nice, priority, runtime, deadline, period } = wanted;
  const flags = (wanted.flags ?? []).reduce((sum, flag) => sum | FLAG[flag], 0);
  const attributes = pack([
    [4, 48], // size: SCHED_ATTR_SIZE_VER0
    [4, POLICY[policy]],
    [8, flags],
    [4, nice ?? 0],
    [4, priority ?? 0],
    [8, runtime ?? 0],
    [8, deadline ?? 0],
    [8, period ?? 0],
  ]);
  c.init.call(
    'sched_setattr',
    [
      number(0),
      struct(
        { bytes: attributes },
        `{sched_policy=${policy}, sched_nice=${nice ?? 0}, sched_priority=${priority ?? 0}}`,
      ),
      number(0),
    ],
    {
      title: `its turn on the processors: ${policy}`,
      object: 'limit',
      source: __SOURCE__,
      reference: 'man:sched_setattr(2)',
      purpose: 'scheduler',
    },
  );
};

export const setIoPriority = (c: Compilation): void => {
  const wanted = c.process.ioPriority;
  if (!wanted) return;
  const priority = wanted.priority ?? 0;
  const value = (IO_CLASS[wanted.class] << 13) | priority;
  c.init.call(
    'ioprio_set',
    [
      number(IOPRIO_WHO_PROCESS, 'IOPRIO_WHO_PROCESS'),
      number(0),
      number(value, `IOPRIO_PRIO_VALUE(${wanted.class}, ${priority})`),
    ],
    {
      title: `its turn on the disks: ${wanted.class} ${priority}`,
      object: 'limit',
      source: __SOURCE__,
      reference: 'man:ioprio_set(2)',
      purpose: 'io priority',
    },
  );
};

export const setPersonality = (c: Compilation): void => {
  const domain = c.linux.personality?.domain;
  if (domain === undefined) return;
  c.init.call('personality', [number(DOMAIN[domain], domain)], {
    title: `the kernel answers as ${domain === 'LINUX32' ? 'one of 32 bits' : 'it is'}`,
    object: 'identity',
    source: __SOURCE__,
    reference: 'man:personality(2)',
    purpose: 'personality',
  });
};
