/**
 * `runc features`: what a config.json may ask of this runtime. dockerd ≥ 24 reads it at its start.
 * OCI features.md, features-linux.md. Upstream: runc features.go.
 */
import { CAPABILITIES } from '../libcontainer/capabilities.ts';
import { FLAG as NAMESPACES } from '../libcontainer/namespaces.ts';
import { mountOptionWords } from '../libcontainer/rootfs/mount-options.ts';
import { ACTION_WORDS, ARCHITECTURE_WORDS, FLAG_WORDS } from '../libcontainer/seccomp/actions.ts';
import { OPERATOR_WORDS } from '../libcontainer/seccomp/conditions.ts';
import { Hooks } from '../protocol/oci/runtime-spec.ts';
import { parseVerb } from './command-line.ts';
import type { Verb } from './verb.ts';
import { SPEC_VERSION, VERSION } from './version.ts';

export const features: Verb = async ({ rest }) => {
  parseVerb('features', rest, {}, 0);
  process.stdout.write(`${JSON.stringify(FEATURES, null, 2)}\n`);
};

const FEATURES = {
  ociVersionMin: '1.0.0',
  ociVersionMax: SPEC_VERSION,
  hooks: Object.keys(Hooks.shape),
  mountOptions: mountOptionWords(),
  linux: {
    namespaces: Object.keys(NAMESPACES).sort(),
    capabilities: CAPABILITIES,
    cgroup: { v1: true, v2: true, systemd: false, systemdUser: false },
    seccomp: {
      enabled: true,
      actions: ACTION_WORDS,
      operators: OPERATOR_WORDS,
      archs: ARCHITECTURE_WORDS,
      supportedFlags: FLAG_WORDS,
    },
    apparmor: { enabled: true },
    selinux: { enabled: false },
  },
  annotations: {
    'org.opencontainers.runc.checkpoint.enabled': 'false',
    'org.opencontainers.runc.version': VERSION,
  },
};
