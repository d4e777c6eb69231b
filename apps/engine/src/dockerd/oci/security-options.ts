/**
 * `--security-opt`: less or other confinement than Docker's own. Upstream: moby daemon/daemon_unix.go parseSecurityOpt.
 * Reference: https://docs.docker.com/reference/cli/docker/container/run/#security-opt
 */
import { existsSync } from 'node:fs';
import { EngineError } from '../../protocol/errdefs.ts';

export interface SecurityOptions {
  readonly hasNoNewPrivileges: boolean;
  /** `unconfined`, `builtin`, a profile as JSON (the client has read the file), or null for what is usual. */
  readonly seccomp: string | null;
  /** A profile that is loaded on the host; null for none. */
  readonly apparmor: string | null;
  /** `/sys/fs/cgroup` may be written to; null for what is usual. */
  readonly hasWritableCgroups: boolean | null;
}

/** As Go's strconv.ParseBool. */
const booleanFrom = (option: string, word: string): boolean => {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(word)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(word)) return false;
  throw invalid(option, 2);
};

const invalid = (option: string, kind: 1 | 2): EngineError =>
  new EngineError('invalid_argument', `invalid --security-opt ${kind}: "${option}"`);

/** Upstream passes labels over where SELinux is off; where it is on, we have none to give. */
const checkLabel = (value: string): void => {
  if (value === 'disable' || !existsSync('/sys/fs/selinux/enforce')) return;
  throw new EngineError(
    'invalid_argument',
    `SELinux labels (--security-opt label=${value}) are not supported by this daemon yet`,
  );
};

export const securityOptions = (options: readonly string[]): SecurityOptions => {
  const found: { -readonly [Name in keyof SecurityOptions]: SecurityOptions[Name] } = {
    hasNoNewPrivileges: false,
    seccomp: null,
    apparmor: null,
    hasWritableCgroups: null,
  };
  for (const option of options) {
    // `key=value`, and of old `key:value`; the value may contain either.
    const separator = option.includes('=') ? '=' : ':';
    const at = option.indexOf(separator);
    const [key, value] = at < 0 ? [option, null] : [option.slice(0, at), option.slice(at + 1)];
    if (value === null) {
      if (key === 'no-new-privileges') found.hasNoNewPrivileges = true;
      else if (key === 'writable-cgroups') found.hasWritableCgroups = true;
      else if (key !== 'disable') throw invalid(option, 1);
      continue;
    }
    if (key === 'label') checkLabel(value);
    else if (key === 'apparmor') found.apparmor = value;
    else if (key === 'seccomp') found.seccomp = value;
    else if (key === 'no-new-privileges') found.hasNoNewPrivileges = booleanFrom(option, value);
    else if (key === 'writable-cgroups') found.hasWritableCgroups = booleanFrom(option, value);
    else throw invalid(option, 2);
  }
  return found;
};

/** Where AppArmor is off, upstream passes its profiles over. */
export const apparmorProfile = (profile: string | null): string | undefined =>
  profile !== null && profile !== '' && existsSync('/sys/kernel/security/apparmor')
    ? profile
    : undefined;
