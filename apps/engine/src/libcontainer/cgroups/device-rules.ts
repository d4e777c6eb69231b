/**
 * Which devices a container may use: those of config.json, and the handful that every container has.
 * OCI config-linux.md#allowed-device-list. Upstream: runc libcontainer/specconv/spec_linux.go (AllowedDevices).
 */
import { EngineError } from '../../protocol/errdefs.ts';
import type { LinuxDeviceCgroup } from '../../protocol/oci/runtime-spec.ts';

export interface DeviceRule {
  readonly allow: boolean;
  readonly type: 'a' | 'b' | 'c';
  /** null is any. */
  readonly major: number | null;
  readonly minor: number | null;
  /** Some of r, w, m (mknod). */
  readonly access: string;
  /** `c 1:3 rwm`: the line of cgroup version 1. */
  readonly text: string;
}

const ALWAYS: readonly LinuxDeviceCgroup[] = [
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 7, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' },
  { allow: true, type: 'c', major: 136, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' },
];

/** In order of application, after "deny everything"; a leading "deny all" of config.json says nothing new. */
export const deviceRules = (rules: readonly LinuxDeviceCgroup[]): readonly DeviceRule[] => {
  const parsed = [...rules, ...ALWAYS].map(parseRule);
  const first = parsed.findIndex((rule) => rule.allow || rule.type !== 'a');
  const seen = new Set<string>();
  return parsed.slice(Math.max(first, 0)).filter(({ allow, text }) => {
    // The same permission twice changes nothing; a denial in between would, so it starts over.
    if (!allow) seen.clear();
    else if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
};

const parseRule = (rule: LinuxDeviceCgroup): DeviceRule => {
  const type = rule.type || 'a';
  // Upstream passes over an `a` ("all") among the letters, and there are files that say `rwa`.
  const access = (rule.access ?? '').replaceAll(/(?<=[rwm])a|a(?=[rwm])/g, '') || 'rwm';
  if (!/^[rwm]+$/.test(access))
    throw new EngineError('invalid_argument', `invalid device access ${JSON.stringify(access)}`);
  const [major, minor] = [rule.major ?? -1, rule.minor ?? -1].map((number) =>
    number < 0 ? null : number,
  );
  const text = type === 'a' ? 'a' : `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`;
  return {
    allow: rule.allow,
    type,
    major: major ?? null,
    minor: minor ?? null,
    access: type === 'a' ? 'rwm' : access,
    text,
  };
};
