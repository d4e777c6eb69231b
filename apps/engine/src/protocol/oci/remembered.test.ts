import { expect, test } from 'vitest';
import { Linux, LinuxSeccomp } from './runtime-spec.ts';

const policy = (defaultAction: unknown, names: readonly string[] = ['read']) => ({
  defaultAction,
  syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }],
});
const issuesOf = (seccomp: unknown): unknown =>
  Linux.safeParse({ seccomp }).error?.issues.map(({ path, message }) => ({ path, message }));

test('what was valid is taken as it is, and another one is looked at', () => {
  const [first, again] = [1, 2].map(() => Linux.parse({ seccomp: policy('SCMP_ACT_ERRNO') }));
  expect(first?.seccomp).toEqual(policy('SCMP_ACT_ERRNO'));
  expect(again?.seccomp).toBe(first?.seccomp);
  expect(Linux.parse({ seccomp: policy('SCMP_ACT_LOG') }).seccomp).toEqual(policy('SCMP_ACT_LOG'));
});

test('what is wrong is said as without a memory, each time', () => {
  for (const wrong of [policy(7), policy('SCMP_ACT_LOG', ['re\0ad']), 'nothing', []]) {
    const { error } = LinuxSeccomp.safeParse(wrong);
    const expected = error?.issues.map(({ path, message }) => ({
      path: ['seccomp', ...path],
      message,
    }));
    expect(expected).toHaveLength(1);
    expect(issuesOf(wrong)).toEqual(expected);
    expect(issuesOf(wrong)).toEqual(expected);
  }
});
