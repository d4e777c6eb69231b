/**
 * Brakes that are not capabilities: no_new_privs, the seccomp filter, an AppArmor profile.
 * prctl(2), seccomp(2), apparmor(7). Upstream: runc libcontainer/standard_init_linux.go.
 */
import { type Compilation, refuse } from './compilation.ts';
import { PR, SECCOMP_SET_MODE_FILTER } from './plan/constants.ts';
import { number, pack, struct } from './plan/stage-builder.ts';
import { asksAgent, waitForAgent } from './seccomp/agent.ts';
import { compileSeccomp } from './seccomp/compile.ts';

export const setNoNewPrivileges = (c: Compilation): void => {
  if (!c.process.noNewPrivileges) return;
  c.init.call(
    'prctl',
    [
      number(PR.PR_SET_NO_NEW_PRIVS, 'PR_SET_NO_NEW_PRIVS'),
      number(1),
      number(0),
      number(0),
      number(0),
    ],
    {
      title: 'no set-uid program can give it more power than it has',
      object: 'capability',
      level: 'step',
      source: __SOURCE__,
      reference: 'man:prctl(2)',
      purpose: 'no_new_privs',
    },
  );
};

/** When no_new_privs is off the filter needs CAP_SYS_ADMIN, so it must come before the capabilities go. */
export type SeccompPlace = 'with capabilities' | 'before ready' | 'last';

/** An agent must have the listener while the caller still waits for the process to be ready. */
export const seccompPlace = (c: Compilation): SeccompPlace => {
  if (c.process.noNewPrivileges !== true) return 'with capabilities';
  return asksAgent(c.linux.seccomp) ? 'before ready' : 'last';
};

export const installSeccomp = (c: Compilation, place: SeccompPlace): void => {
  const policy = c.linux.seccomp;
  if (!policy || place !== seccompPlace(c)) return;
  const { program, flags } = compileSeccomp(policy, c.facts.architecture);
  const fprog = {
    bytes: pack([
      [2, program.length / 8],
      [2, 0],
      [4, 0],
      [8, 0],
    ]),
    patches: [{ offset: 8, pointerTo: { bytes: program } }],
  };
  c.init.call(
    'seccomp',
    [
      number(SECCOMP_SET_MODE_FILTER, 'SECCOMP_SET_MODE_FILTER'),
      number(flags),
      struct(fprog, `{len=${program.length / 8}}`),
    ],
    {
      title: 'from here on the kernel checks every system call against the policy',
      object: 'seccomp',
      level: 'step',
      source: __SOURCE__,
      reference: 'man:seccomp(2)',
      purpose: 'seccomp',
    },
  );
  waitForAgent(c);
};

/** As runc: a profile on a machine without AppArmor cannot be applied, and Docker names one only where it is enabled. */
export const checkAppArmor = (c: Compilation): void => {
  const profile = c.process.apparmorProfile ?? '';
  if (profile === '' || profile === 'unconfined' || c.facts.appArmor) return;
  refuse(
    `unable to apply apparmor profile: apparmor is not enabled on this machine (profile ${JSON.stringify(profile)})`,
  );
};

/** Precondition: the container's /proc is mounted and writable there, and pivot_root is done. */
export const applyAppArmor = (c: Compilation): void => {
  const profile = c.process.apparmorProfile ?? '';
  if (profile === '' || !c.facts.appArmor) return;
  c.init.writeFile('/proc/thread-self/attr/apparmor/exec', `exec ${profile}`, {
    title: `the AppArmor profile ${profile} applies to the program`,
    object: 'capability',
    source: __SOURCE__,
    reference: 'man:apparmor(7)',
    purpose: 'apparmor',
  });
};
