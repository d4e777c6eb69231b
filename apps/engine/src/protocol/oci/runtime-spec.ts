/**
 * config.json: what a container shall be. Field names are the specification's; so are the optional and required ones.
 * OCI runtime spec, https://github.com/opencontainers/runtime-spec/blob/main/config.md
 *
 * Names of types are those of specs-go. Unknown fields are kept: the specification says that a runtime must ignore them, and that an editor must not lose them.
 */
import * as z from 'zod';
import { remembered } from './remembered.ts';

/** Paths and strings reach system calls: a NUL byte would cut them short behind our back. */
const text = z.string().refine((value) => !value.includes('\0'), 'must not contain a NUL byte');
const uint32 = z.number().int().min(0).max(0xffff_ffff);
const int64 = z.number().int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);
const uint64 = int64.min(0);
/** Limits go up to 2^64 - 1, which no JSON number holds exactly. */
const rlim = z
  .number()
  .min(0)
  .max(2 ** 64)
  .refine(Number.isInteger, 'must be a whole number');

export const LinuxCapabilities = z.looseObject({
  bounding: z.array(text).optional(),
  effective: z.array(text).optional(),
  permitted: z.array(text).optional(),
  inheritable: z.array(text).optional(),
  ambient: z.array(text).optional(),
});

export const POSIXRlimit = z.looseObject({ type: text, soft: rlim, hard: rlim });

/** config.md#process `scheduler`: sched_setattr(2). */
export const Scheduler = z.looseObject({
  policy: z.enum([
    'SCHED_OTHER',
    'SCHED_FIFO',
    'SCHED_RR',
    'SCHED_BATCH',
    'SCHED_ISO',
    'SCHED_IDLE',
    'SCHED_DEADLINE',
  ]),
  nice: z.number().int().min(-20).max(19).nullish(),
  priority: int64.nullish(),
  flags: z
    .array(
      z.enum([
        'SCHED_FLAG_RESET_ON_FORK',
        'SCHED_FLAG_RECLAIM',
        'SCHED_FLAG_DL_OVERRUN',
        'SCHED_FLAG_KEEP_POLICY',
        'SCHED_FLAG_KEEP_PARAMS',
        'SCHED_FLAG_UTIL_CLAMP_MIN',
        'SCHED_FLAG_UTIL_CLAMP_MAX',
      ]),
    )
    .nullish(),
  runtime: uint64.nullish(),
  deadline: uint64.nullish(),
  period: uint64.nullish(),
});

/** config.md#process `ioPriority`: ioprio_set(2). */
export const LinuxIOPriority = z.looseObject({
  class: z.enum(['IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE']),
  priority: z.number().int().min(0).max(7).nullish(),
});

/** What runs in the container, and as whom. config.md#process */
export const Process = z.looseObject({
  terminal: z.boolean().optional(),
  consoleSize: z.looseObject({ height: uint32, width: uint32 }).optional(),
  user: z
    .looseObject({
      uid: uint32,
      gid: uint32,
      umask: uint32.optional(),
      additionalGids: z.array(uint32).nullish(),
    })
    .default({ uid: 0, gid: 0 }),
  args: z.array(text).optional(),
  env: z.array(text).nullish(),
  cwd: text,
  capabilities: LinuxCapabilities.nullish(),
  rlimits: z.array(POSIXRlimit).nullish(),
  noNewPrivileges: z.boolean().optional(),
  apparmorProfile: text.optional(),
  selinuxLabel: text.optional(),
  oomScoreAdj: int64.nullish(),
  scheduler: Scheduler.nullish(),
  ioPriority: LinuxIOPriority.nullish(),
});

const IdMapping = z.looseObject({ containerID: uint32, hostID: uint32, size: uint32 });

/** config.md#mounts */
export const Mount = z.looseObject({
  destination: text,
  type: text.optional(),
  source: text.optional(),
  options: z.array(text).nullish(),
  uidMappings: z.array(IdMapping).nullish(),
  gidMappings: z.array(IdMapping).nullish(),
});

/** config-linux.md#namespaces: a path joins an existing one. */
export const LinuxNamespace = z.looseObject({
  type: z.enum(['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time']),
  path: text.optional(),
});

/** config-linux.md#devices */
export const LinuxDevice = z.looseObject({
  type: z.enum(['c', 'b', 'u', 'p']),
  path: text,
  major: int64.optional(),
  minor: int64.optional(),
  fileMode: uint32.nullish(),
  uid: uint32.nullish(),
  gid: uint32.nullish(),
});

/** config-linux.md#allowed-device-list */
export const LinuxDeviceCgroup = z.looseObject({
  allow: z.boolean(),
  type: z.enum(['a', 'b', 'c', '']).optional(),
  major: int64.nullish(),
  minor: int64.nullish(),
  access: text.optional(),
});

const ThrottleDevice = z.looseObject({ major: int64, minor: int64, rate: uint64 });

/** config-linux.md#control-groups */
export const LinuxResources = z.looseObject({
  devices: z.array(LinuxDeviceCgroup).nullish(),
  memory: z
    .looseObject({
      limit: int64.nullish(),
      reservation: int64.nullish(),
      swap: int64.nullish(),
      kernel: int64.nullish(),
      kernelTCP: int64.nullish(),
      swappiness: uint64.nullish(),
      disableOOMKiller: z.boolean().nullish(),
      useHierarchy: z.boolean().nullish(),
      checkBeforeUpdate: z.boolean().nullish(),
    })
    .nullish(),
  cpu: z
    .looseObject({
      shares: uint64.nullish(),
      quota: int64.nullish(),
      period: uint64.nullish(),
      realtimeRuntime: int64.nullish(),
      realtimePeriod: uint64.nullish(),
      cpus: text.nullish(),
      mems: text.nullish(),
      idle: int64.nullish(),
      burst: uint64.nullish(),
    })
    .nullish(),
  pids: z.looseObject({ limit: int64.nullish() }).nullish(),
  blockIO: z
    .looseObject({
      weight: uint32.nullish(),
      leafWeight: uint32.nullish(),
      weightDevice: z
        .array(
          z.looseObject({
            major: int64,
            minor: int64,
            weight: uint32,
            leafWeight: uint32.nullish(),
          }),
        )
        .nullish(),
      throttleReadBpsDevice: z.array(ThrottleDevice).nullish(),
      throttleWriteBpsDevice: z.array(ThrottleDevice).nullish(),
      throttleReadIOPSDevice: z.array(ThrottleDevice).nullish(),
      throttleWriteIOPSDevice: z.array(ThrottleDevice).nullish(),
    })
    .nullish(),
  hugepageLimits: z.array(z.looseObject({ pageSize: text, limit: uint64 })).nullish(),
  network: z
    .looseObject({
      classID: uint32.nullish(),
      priorities: z.array(z.looseObject({ name: text, priority: uint32 })).nullish(),
    })
    .nullish(),
  rdma: z
    .record(text, z.looseObject({ hcaHandles: uint32.nullish(), hcaObjects: uint32.nullish() }))
    .nullish(),
  unified: z.record(text, text).nullish(),
});

/** config-linux.md#seccomp: `SCMP_CMP_MASKED_EQ` compares (argument & value) with valueTwo. */
export const LinuxSeccompArg = z.looseObject({
  index: z.number().int().min(0).max(5),
  value: uint64,
  valueTwo: uint64.nullish(),
  op: text,
});

export const LinuxSyscall = z.looseObject({
  names: z.array(text),
  action: text,
  errnoRet: uint32.nullish(),
  args: z.array(LinuxSeccompArg).nullish(),
});

export const LinuxSeccomp = z.looseObject({
  defaultAction: text,
  defaultErrnoRet: uint32.nullish(),
  architectures: z.array(text).nullish(),
  flags: z.array(text).nullish(),
  listenerPath: text.optional(),
  listenerMetadata: text.optional(),
  syscalls: z.array(LinuxSyscall).nullish(),
});

/** Nearly all containers of a machine have the same one, and to check its names takes longer than all the rest. */
const lastSeccomp = remembered(LinuxSeccomp);

export const Linux = z.looseObject({
  namespaces: z.array(LinuxNamespace).nullish(),
  uidMappings: z.array(IdMapping).nullish(),
  gidMappings: z.array(IdMapping).nullish(),
  devices: z.array(LinuxDevice).nullish(),
  cgroupsPath: text.optional(),
  resources: LinuxResources.nullish(),
  rootfsPropagation: text.optional(),
  seccomp: lastSeccomp.nullish(),
  timeOffsets: z
    .record(z.string(), z.looseObject({ secs: int64.nullish(), nanosecs: uint32.nullish() }))
    .nullish(),
  sysctl: z.record(text, text).nullish(),
  maskedPaths: z.array(text).nullish(),
  readonlyPaths: z.array(text).nullish(),
  mountLabel: text.optional(),
  personality: z
    .looseObject({ domain: z.enum(['LINUX', 'LINUX32']), flags: z.array(text).nullish() })
    .nullish(),
});

/** config.md#posix-platform-hooks: a program that is called at one point of the container's life. */
export const Hook = z.looseObject({
  path: text.refine((path) => path.startsWith('/'), 'must be an absolute path'),
  args: z.array(text).nullish(),
  env: z.array(text).nullish(),
  /** Seconds. */
  timeout: int64.min(1).nullish(),
});

const hooks = z.array(Hook).nullish();
export const Hooks = z.looseObject({
  prestart: hooks,
  createRuntime: hooks,
  createContainer: hooks,
  startContainer: hooks,
  poststart: hooks,
  poststop: hooks,
});

/** The whole of config.json. */
export const RuntimeSpec = z.looseObject({
  ociVersion: text,
  root: z.looseObject({ path: text, readonly: z.boolean().optional() }),
  mounts: z.array(Mount).nullish(),
  process: Process.optional(),
  hostname: text.optional(),
  domainname: text.optional(),
  hooks: Hooks.nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
  linux: Linux.nullish(),
});

export type RuntimeSpec = z.infer<typeof RuntimeSpec>;
export type Hook = z.infer<typeof Hook>;
export type Process = z.infer<typeof Process>;
export type POSIXRlimit = z.infer<typeof POSIXRlimit>;
export type LinuxCapabilities = z.infer<typeof LinuxCapabilities>;
export type Mount = z.infer<typeof Mount>;
export type Linux = z.infer<typeof Linux>;
export type LinuxNamespace = z.infer<typeof LinuxNamespace>;
export type LinuxDevice = z.infer<typeof LinuxDevice>;
export type LinuxDeviceCgroup = z.infer<typeof LinuxDeviceCgroup>;
export type LinuxResources = z.infer<typeof LinuxResources>;
export type LinuxSeccomp = z.infer<typeof LinuxSeccomp>;
export type LinuxSyscall = z.infer<typeof LinuxSyscall>;
export type LinuxSeccompArg = z.infer<typeof LinuxSeccompArg>;
