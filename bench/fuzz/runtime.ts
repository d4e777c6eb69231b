/** config.json as a hostile bundle brings it → the plan → its bytes, whose offsets must stay inside. */
import { compileCreate } from '../../apps/engine/src/libcontainer/compile-create.ts';
import { encodePlan } from '../../apps/engine/src/libcontainer/plan/encode.ts';
import { RuntimeSpec } from '../../apps/engine/src/protocol/oci/runtime-spec.ts';
import { mutatedJson } from './mutate.ts';
import { target, type Target } from './target.ts';

const SPEC = {
  ociVersion: '1.0.2',
  hostname: 'box',
  root: { path: 'rootfs', readonly: true },
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec'] },
    { destination: '/etc/hosts', type: 'bind', source: '/etc/hosts', options: ['rbind', 'ro'] },
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['size=64k', 'tmpcopyup'] },
  ],
  process: {
    terminal: true,
    user: { uid: 0, gid: 0, additionalGids: [10] },
    args: ['sh', '-c', 'true'],
    env: ['PATH=/bin'],
    cwd: '/',
    capabilities: { bounding: ['CAP_CHOWN'], effective: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'] },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 1024 }],
    noNewPrivileges: true,
    oomScoreAdj: 100,
  },
  linux: {
    namespaces: [
      { type: 'mount' },
      { type: 'pid' },
      { type: 'network' },
      { type: 'ipc' },
      { type: 'uts' },
      { type: 'cgroup' },
    ],
    cgroupsPath: '/engine-room/box',
    resources: {
      devices: [
        { allow: false, access: 'rwm' },
        { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
      ],
      memory: { limit: 67108864, swap: 67108864 },
      pids: { limit: 10 },
      cpu: { shares: 1024, quota: 10000, period: 100000, cpus: '0-1' },
      unified: { 'memory.high': '1000' },
    },
    devices: [
      { path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 },
    ],
    sysctl: { 'net.ipv4.ip_forward': '0' },
    maskedPaths: ['/proc/kcore'],
    readonlyPaths: ['/proc/sys'],
    seccomp: {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
      architectures: ['SCMP_ARCH_X86_64'],
      syscalls: [
        { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' },
        {
          names: ['personality'],
          action: 'SCMP_ACT_ALLOW',
          args: [{ index: 0, value: 8, valueTwo: 0, op: 'SCMP_CMP_EQ' }],
        },
      ],
    },
  },
};

const FACTS = {
  architecture: 'x64',
  kernel: [6, 1],
  lastCapability: 40,
  boundingCapabilities: 0x1ff_ffff_ffffn,
  hierarchies: [
    {
      version: 2,
      mountPoint: '/sys/fs/cgroup',
      controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
      name: null,
      ownPath: '/',
    },
  ],
  appArmor: false,
  files: {
    exists: () => true,
    read: () => 'cpu io memory pids',
    isDirectory: (path: string) => !path.endsWith('hosts'),
    isSymbolicLink: () => false,
    isSame: () => false,
  },
} as const;

/** The numbers that the helper's own check believes first. Layout: native/src/plan.h. */
const checkHeader = (bytes: Uint8Array): void => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (index: number): number => view.getUint32(index * 4, true);
  const [size, parents, parentAt, inits, initAt] = [2, 3, 4, 5, 6].map(word) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const isSound =
    size === bytes.length && parentAt + parents * 104 <= initAt && initAt + inits * 104 <= size;
  if (!isSound) throw new Error('the plan says something else than its bytes');
};

const compiled = (spec: RuntimeSpec): Uint8Array =>
  encodePlan(
    compileCreate({
      spec,
      facts: FACTS,
      id: 'box',
      bundle: '/bundle',
      execFifo: '/run/box/exec.fifo',
      imageModeOf: () => null,
      ownsStdio: [true, true, true],
      home: '/root',
    }),
  );

/** What the helper's own fuzzer, which is written in C, begins with. */
export const aPlan = (): Uint8Array => compiled(RuntimeSpec.parse(SPEC));

export const RUNTIME: readonly Target[] = [
  target('config.json to plan', {
    perThousand: 100,
    inputs: mutatedJson(SPEC),
    open: () => ({
      feed: (document) => {
        const parsed = RuntimeSpec.safeParse(document);
        if (!parsed.success) return;
        checkHeader(compiled(parsed.data));
      },
    }),
  }),
];
