/** The sentences are those of dockerd 20.10 and 28, as they were asked. */
import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { OptionsSchema } from '../../protocol/gen/containerd/runc-options_pb.ts';
import { DEFAULT_RUNTIME } from './runtime.ts';
import { Runtimes, type RuntimeOptions } from './runtimes.ts';

const runtimes = (options: Partial<RuntimeOptions> = {}): Runtimes =>
  new Runtimes({
    added: [],
    defaultName: DEFAULT_RUNTIME,
    shim: DEFAULT_RUNTIME,
    stateRoot: '/run/x/runtime-runc',
    ...options,
  });

/** What containerd would be told: the shim, and for the shim which program and where its state is. */
const toldOf = (known: Runtimes, name: string) => {
  const { shim, options } = known.get(name);
  if (!options) return { shim };
  const { binaryName, root } = fromBinary(OptionsSchema, options.value);
  return { shim, binaryName, root };
};

describe('docker run --runtime', () => {
  test('our own in three ways', () => {
    for (const name of ['', 'runc', DEFAULT_RUNTIME])
      expect(toldOf(runtimes(), name)).toEqual({ shim: DEFAULT_RUNTIME });
  });

  test('one that was added is a program behind our shim', () => {
    const known = runtimes({ added: ['Crun=/usr/bin/crun'], defaultName: 'crun' });

    const told = { shim: DEFAULT_RUNTIME, binaryName: '/usr/bin/crun', root: '' };
    expect(toldOf(known, 'crun')).toEqual(told);
    expect(toldOf(known, '')).toEqual(told);
    expect(known.list()).toMatchObject({ crun: { path: '/usr/bin/crun' }, runc: { path: 'runc' } });
  });

  test('behind another shim the state has a folder of its own', () => {
    const known = runtimes({ added: ['crun=crun'], shim: 'io.containerd.runc.v2' });

    expect(toldOf(known, 'crun')).toEqual({
      shim: 'io.containerd.runc.v2',
      binaryName: 'crun',
      root: '/run/x/runtime-runc',
    });
    expect(toldOf(known, 'runc')).toMatchObject({ shim: 'io.containerd.runc.v2', binaryName: '' });
    expect(toldOf(known, DEFAULT_RUNTIME)).toEqual({ shim: DEFAULT_RUNTIME });
  });

  test('a shim may be named as containerd names it', () => {
    expect(toldOf(runtimes(), 'io.containerd.kata.v2')).toMatchObject({
      shim: 'io.containerd.kata.v2',
    });
  });

  test.each(['nope', '/usr/bin/crun', 'io.containerd/x.v2', '../x.y', '.v2'])(
    '%s is nothing that one may name',
    (name) => {
      expect(() => runtimes().check(name)).toThrow(`unknown or invalid runtime name: ${name}`);
      expect(() => runtimes().get(name)).toThrow(`unknown or invalid runtime name: ${name}`);
    },
  );
});

describe('dockerd --add-runtime and --default-runtime', () => {
  test.each([
    [['foo'], 'invalid argument "foo" for "--add-runtime" flag: invalid runtime argument: foo'],
    [['=x'], 'invalid argument "=x" for "--add-runtime" flag: invalid runtime argument: =x'],
    [
      ['runc=/x'],
      `invalid argument "runc=/x" for "--add-runtime" flag: runtime name 'runc' is reserved`,
    ],
    [
      ['a=/x', 'a=/y'],
      `invalid argument "a=/y" for "--add-runtime" flag: runtime 'a' was already defined`,
    ],
  ])('%j is refused', (added, words) => {
    expect(() => runtimes({ added })).toThrow(words);
  });

  test('a default that nobody knows', () => {
    expect(() => runtimes({ defaultName: 'nope' })).toThrow(
      "specified default runtime 'nope' does not exist",
    );
  });
});
