/**
 * `--security-opt seccomp=profile.json`: Docker's own form of a profile, in which a rule may hold for some
 * architectures, capabilities or kernels only → OCI's, without conditions.
 * Upstream: moby profiles/seccomp/seccomp_linux.go. Reference: https://docs.docker.com/engine/security/seccomp/
 */
import { release } from 'node:os';
import * as z from 'zod';
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import {
  LinuxSeccomp,
  LinuxSyscall,
  type LinuxSeccomp as Seccomp,
} from '../../protocol/oci/runtime-spec.ts';

const Condition = z.object({
  caps: z.array(z.string()).nullish(),
  arches: z.array(z.string()).nullish(),
  minKernel: z
    .string()
    .regex(/^\d{1,3}\.\d{1,3}$/, 'expected "<kernel>.<major>"')
    .nullish(),
});

const Rule = LinuxSyscall.omit({ names: true }).extend({
  names: z.array(z.string()).nullish(),
  /** Of old: one name. */
  name: z.string().nullish(),
  includes: Condition.nullish(),
  excludes: Condition.nullish(),
});

const Profile = LinuxSeccomp.omit({ syscalls: true, defaultAction: true }).extend({
  defaultAction: z.string().default(''),
  archMap: z
    .array(z.object({ architecture: z.string(), subArchitectures: z.array(z.string()).nullish() }))
    .nullish(),
  syscalls: z.array(Rule).nullish(),
});

/** `[name in conditions, name in lists of architectures]` */
const ARCHITECTURE: Readonly<Record<string, readonly [string, string]>> = {
  x64: ['amd64', 'SCMP_ARCH_X86_64'],
  arm64: ['arm64', 'SCMP_ARCH_AARCH64'],
};

const refuse = (sentence: string): never => {
  throw new EngineError('invalid_argument', sentence);
};

const parsed = (text: string): z.output<typeof Profile> => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return refuse(`Decoding seccomp profile failed: ${messageOf(error)}`);
  }
  const { data, error } = Profile.safeParse(json);
  if (data) return data;
  const [issue] = error.issues;
  return refuse(
    `Decoding seccomp profile failed: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  );
};

const isKernelAtLeast = (wanted: string): boolean => {
  const [kernel = 0, major = 0] = wanted.split('.').map(Number);
  const [ownKernel = 0, ownMajor = 0] = release().split('.').map(Number);
  return ownKernel > kernel || (ownKernel === kernel && ownMajor >= major);
};

export const seccompProfile = (
  text: string,
  capabilities: readonly string[],
): Seccomp | undefined => {
  const { archMap, syscalls, architectures, ...profile } = parsed(text);
  const rules = syscalls ?? [];
  // Nothing said is nothing confined, as upstream has it.
  if (profile.defaultAction === '' && rules.length === 0) return undefined;
  if ((architectures ?? []).length > 0 && (archMap ?? []).length > 0) {
    return refuse(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  }
  const [name, seccompName] = ARCHITECTURE[process.arch] ?? ['', ''];
  const own = archMap?.find(({ architecture }) => architecture === seccompName);
  const granted = new Set(capabilities);

  const holds = ({ includes, excludes }: z.output<typeof Rule>): boolean => {
    if (excludes?.arches?.includes(name)) return false;
    if (excludes?.caps?.some((capability) => granted.has(capability))) return false;
    if (excludes?.minKernel && isKernelAtLeast(excludes.minKernel)) return false;
    if (includes?.arches?.length && !includes.arches.includes(name)) return false;
    if (includes?.caps?.some((capability) => !granted.has(capability))) return false;
    return !includes?.minKernel || isKernelAtLeast(includes.minKernel);
  };

  return {
    ...profile,
    architectures: own
      ? [own.architecture, ...(own.subArchitectures ?? [])]
      : (architectures ?? []),
    syscalls: rules.filter(holds).map(({ name: only, names, action, errnoRet, args }) => {
      if (only && names && names.length > 0) {
        return refuse(
          "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'",
        );
      }
      return {
        names: only ? [only] : [...(names ?? [])],
        action,
        ...(errnoRet === undefined || errnoRet === null ? {} : { errnoRet }),
        ...(args ? { args } : {}),
      };
    }),
  };
};
