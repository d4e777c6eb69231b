import { expect, test } from 'vitest';
import { ContainerConfig, HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import { RuntimeSpec } from '../../protocol/oci/runtime-spec.ts';
import { containerCapabilities, DEFAULT_CAPABILITIES } from './capabilities.ts';
import { defaultSeccomp } from './seccomp-default.ts';
import { containerSpec } from './spec.ts';

const aSpec = (config: unknown, host: unknown = {}, uid = 0): RuntimeSpec =>
  containerSpec({
    id: 'abc',
    config: ContainerConfig.parse(config),
    host: HostConfig.parse(host),
    user: { uid, gid: uid, additionalGids: [uid], home: '/root' },
    files: { hosts: '/d/hosts', hostname: '/d/hostname', resolvConf: '/d/resolv.conf' },
    namespaces: { network: { type: 'network' }, pid: { type: 'pid' }, ipc: { type: 'ipc' } },
    sharedMemory: 'own',
    mountPoints: [],
    init: null,
    cgroupParent: '/engine-room',
  });

test('the specification is one that the runtime accepts', () => {
  const spec = aSpec(
    { Cmd: ['echo', 'hi'], Hostname: 'h', Tty: true },
    { Memory: 64 * 1024 * 1024 },
  );

  expect(RuntimeSpec.parse(JSON.parse(JSON.stringify(spec)))).toEqual(
    JSON.parse(JSON.stringify(spec)),
  );
});

test('limits become cgroup values', () => {
  const { linux } = aSpec({ Cmd: ['x'] }, { Memory: 1e8, NanoCpus: 1.5e9, PidsLimit: 50 });

  expect(linux?.cgroupsPath).toBe('/engine-room/abc');
  expect(linux?.resources).toMatchObject({
    memory: { limit: 1e8, swap: 2e8 },
    cpu: { period: 100_000, quota: 150_000 },
    pids: { limit: 50 },
  });
});

test('the command is the entrypoint followed by the arguments', () => {
  expect(aSpec({ Entrypoint: ['/e'], Cmd: ['a', 'b'] }).process?.args).toEqual(['/e', 'a', 'b']);
});

test('variables of the user win over defaults, and HOME is there', () => {
  const { process } = aSpec({ Cmd: ['x'], Hostname: 'h', Env: ['PATH=/mine', 'A=1'] });

  expect(process?.env).toEqual(['PATH=/mine', 'HOSTNAME=h', 'A=1', 'HOME=/root']);
});

test('a user other than root has no capabilities, only a bound', () => {
  const capabilities = aSpec({ Cmd: ['x'] }, {}, 1000).process?.capabilities;

  expect(capabilities?.effective).toBeUndefined();
  expect(capabilities?.bounding).toEqual(DEFAULT_CAPABILITIES);
});

test.each([
  [[], ['ALL'], []],
  [['net_raw'], ['ALL'], ['CAP_NET_RAW']],
  [['CAP_SYS_TIME'], [], [...DEFAULT_CAPABILITIES, 'CAP_SYS_TIME']],
  [[], ['chown', 'CAP_KILL'], DEFAULT_CAPABILITIES.filter((name) => !/CHOWN|KILL/.test(name))],
])('capabilities: add %j, drop %j', (add, drop, expected) => {
  expect(containerCapabilities({ CapAdd: add, CapDrop: drop, Privileged: false })).toEqual(
    expected,
  );
});

test('seccomp lets a capability bring its calls, and keeps new namespaces from everybody else', () => {
  const plain = defaultSeccomp(DEFAULT_CAPABILITIES, 'x64');
  const admin = defaultSeccomp(['CAP_SYS_ADMIN'], 'x64');
  const allows = (profile: typeof plain, call: string): boolean =>
    profile?.syscalls?.some(
      ({ names, action, args }) => names.includes(call) && action === 'SCMP_ACT_ALLOW' && !args,
    ) ?? false;

  expect([allows(plain, 'mount'), allows(admin, 'mount')]).toEqual([false, true]);
  expect([allows(plain, 'clone'), allows(admin, 'clone')]).toEqual([false, true]);
  expect(allows(plain, 'chroot')).toBe(true);
  expect(defaultSeccomp([], 'mips')).toBeUndefined();
});

test('seccomp can be switched off', () => {
  expect(
    aSpec({ Cmd: ['x'] }, { SecurityOpt: ['seccomp=unconfined'] }).linux?.seccomp,
  ).toBeUndefined();
});
