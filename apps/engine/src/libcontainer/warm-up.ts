/**
 * The first plan that a process compiles costs several times as much as the next ones, for V8 has to compile the compiler.
 * A process that waits for work (the spare shim) does that beforehand, with a container that is never created.
 */
import { EngineError } from '../protocol/errdefs.ts';
import { LinuxSeccomp, RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import { compileCreate } from './compile-create.ts';
import { compileStart } from './compile-start.ts';
import type { HostFacts } from './host-facts.ts';
import { encodePlan } from './plan/encode.ts';
import { syscallNames } from './plan/syscall-numbers.ts';

const ROUNDS = 2;

const mount = (destination: string, type: string, options: string[]) => ({
  destination,
  type,
  source: type,
  options,
});

const sample = (round: number): unknown => ({
  ociVersion: '1.0.2',
  root: { path: '/usr' },
  hostname: 'nobody',
  mounts: [
    mount('/proc', 'proc', ['nosuid', 'noexec', 'nodev']),
    mount('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    mount('/sys', 'sysfs', ['nosuid', 'noexec', 'nodev', 'ro']),
    mount('/sys/fs/cgroup', 'cgroup', ['ro', 'nosuid', 'noexec', 'nodev']),
    {
      destination: '/etc/hosts',
      type: 'bind',
      source: '/dev/null',
      options: ['rbind', 'rprivate', 'ro'],
    },
  ],
  process: {
    user: { uid: 0, gid: 0 },
    args: ['true'],
    env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root'],
    cwd: '/',
    capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] },
  },
  linux: {
    namespaces: ['mount', 'network', 'uts', 'pid', 'ipc'].map((type) => ({ type })),
    cgroupsPath: '/nobody/nothing',
    resources: { devices: [{ allow: false, access: 'rwm' }], pids: { limit: 8 } },
    maskedPaths: ['/proc/kcore'],
    readonlyPaths: ['/proc/sys'],
    seccomp: LinuxSeccomp.parse({
      defaultAction: 'SCMP_ACT_ERRNO',
      // Another one each time: the same would only be found in the memory of the first round.
      defaultErrnoRet: round + 1,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
      syscalls: [
        { names: syscallNames().filter((_, index) => index % 5 !== 0), action: 'SCMP_ACT_ALLOW' },
        {
          names: ['clone'],
          action: 'SCMP_ACT_ALLOW',
          args: [{ index: 0, value: 1, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
        },
      ],
    }),
  },
});

export const warmUp = (facts: HostFacts): void => {
  for (let round = 0; round < ROUNDS; round++) {
    try {
      compileSample(facts, round);
    } catch (error) {
      // A machine that lacks something says so at its first real container.
      if (error instanceof EngineError) return;
      throw error;
    }
  }
};

const compileSample = (facts: HostFacts, round: number): void => {
  const spec = RuntimeSpec.parse(JSON.parse(JSON.stringify(sample(round))));
  const execFifo = '/nowhere/exec.fifo';
  const create = compileCreate({
    spec,
    facts,
    id: 'nothing',
    bundle: '/nowhere',
    execFifo,
    ownsStdio: [true, true, true],
    home: '/root',
  });
  encodePlan(create);
  encodePlan(compileStart({ architecture: facts.architecture, execFifo, pid: 1 }));
};
