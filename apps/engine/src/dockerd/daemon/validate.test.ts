import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { ContainerConfig, HostConfig } from '../../protocol/docker-engine-api/containers.ts';
import { mergeConfig } from './create.ts';
import { startFailure } from './start-failure.ts';
import { validate } from './validate.ts';

const check = (config: unknown, host: unknown = {}) =>
  validate(ContainerConfig.parse(config), HostConfig.parse(host));

test('what the CLI sends by default is accepted without a word', () => {
  expect(() =>
    check({ Image: 'x', Env: null }, { NetworkMode: 'default', Binds: null }),
  ).not.toThrow();
});

test.each<[string, unknown, unknown]>([
  ['Minimum memory limit allowed is 6MB', {}, { Memory: 1024 }],
  [
    `range of CPUs is from 0.01 to ${availableParallelism()}.00, as there are only ${availableParallelism()} CPUs available`,
    {},
    { NanoCpus: 1e12 },
  ],
  [
    "the working directory 'x' is invalid, it needs to be an absolute path",
    { WorkingDir: 'x' },
    {},
  ],
  ['Invalid signal: FOO', { StopSignal: 'FOO' }, {}],
  ["logger: no log driver named 'x' is registered", {}, { LogConfig: { Type: 'x' } }],
  ['invalid hostname format: a b', { Hostname: 'a b' }, {}],
  ['invalid environment variable: =x', { Env: ['=x'] }, {}],
  ['invalid CapAdd: unknown capability: "CAP_FOO"', {}, { CapAdd: ['FOO'] }],
  ['invalid PID mode: nosuch', {}, { PidMode: 'nosuch' }],
  ['invalid IPC mode: container:', {}, { IpcMode: 'container:' }],
  ['invalid UTS mode: private', {}, { UTSMode: 'private' }],
  ['hostname and the UTS mode', { Hostname: 'x' }, { UTSMode: 'host' }],
  ['invalid cgroup namespace mode: x', {}, { CgroupnsMode: 'x' }],
  ["invalid isolation 'hyperv' on linux", {}, { Isolation: 'hyperv' }],
  ['invalid --security-opt 1: "nosuch"', {}, { SecurityOpt: ['nosuch'] }],
  ['invalid --security-opt 2: "nosuch=1"', {}, { SecurityOpt: ['nosuch=1'] }],
  [
    'invalid --security-opt 2: "no-new-privileges:maybe"',
    {},
    { SecurityOpt: ['no-new-privileges:maybe'] },
  ],
  ['invalid port specification: "x/tcp"', {}, { PortBindings: { 'x/tcp': [] } }],
  [
    'conflicting options: port publishing',
    {},
    { NetworkMode: 'container:x', PublishAllPorts: true },
  ],
])('%s', (sentence, config, host) => {
  const attempt = () => check(config, host);

  expect(attempt).toThrow(sentence);
});

test.each<[string, unknown, unknown?]>([
  ['--userns', { UsernsMode: 'private' }],
  ['--storage-opt', { StorageOpt: { size: '1G' } }],
])('what cannot be honoured is refused by name: %s', (name, host) => {
  expect(() => check({}, host)).toThrow(name);
  expect(() => check({}, host)).toThrow('not supported by this daemon yet');
});

test.each([
  [{}, { Cmd: ['sh'] }, null, ['sh']],
  [{ Cmd: ['ls'] }, { Entrypoint: ['/e'], Cmd: ['sh'] }, ['/e'], ['ls']],
  [{ Entrypoint: ['/mine'] }, { Entrypoint: ['/e'], Cmd: ['sh'] }, ['/mine'], null],
  [{ Entrypoint: [''], Cmd: ['ls'] }, { Entrypoint: ['/e'], Cmd: ['sh'] }, null, ['ls']],
])('%j over an image with %j', (user, image, entrypoint, cmd) => {
  const merged = mergeConfig(ContainerConfig.parse(user), {
    ...{ Env: null, Entrypoint: null, Cmd: null },
    ...image,
  });

  expect([merged.Entrypoint, merged.Cmd]).toEqual([entrypoint, cmd]);
});

test.each([
  ['exec: "x": executable file not found in $PATH: unknown', 127],
  ['exec: "/x": stat /x: no such file or directory: unknown', 127],
  ['exec: "/etc": permission denied: unknown', 126],
  ['exec: "/etc": is a directory', 126],
  ['the moon is full', 128],
])('a start that fails with "%s" leaves exit code %d', (message, exitCode) => {
  expect(startFailure(new Error(message)).exitCode).toBe(exitCode);
});
