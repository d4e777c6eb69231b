/**
 * The step at which a plan ended → the sentence that runc logs. Clients match on these words:
 * the docker CLI takes 127 for "executable file not found" and 126 for "permission denied".
 * Upstream: runc 1.1 libcontainer/{process_linux,standard_init_linux,rootfs_linux}.go, Go's os/exec and os.PathError.
 */
import { dirname } from 'node:path';
import type { Failure } from './plan-trace.ts';
import { errnoSentence } from './plan/errno.ts';
import type { Argument, Step } from './plan/step.ts';

/** What the message speaks of besides the step. */
export interface Subject {
  readonly args: readonly string[];
  readonly cwd: string;
}

export const createFailed = (failure: Failure | null, subject: Subject): string =>
  `runc create failed: ${failure ? sentenceOf(failure, subject) : 'runc was killed'}`;

export const execFailed = (failure: Failure | null, subject: Subject): string => {
  if (failure?.step.purpose === 'cgroup') {
    const { step, record } = failure;
    const folder = step.kind === 'writeFile' ? dirname(step.path) : stringAt(step, 1);
    return (
      `exec failed: unable to start container process: error adding pid ${record.pid} to cgroups: ` +
      `failed to write ${record.pid}: open ${folder}/cgroup.procs: ${errnoSentence(record.errno)}`
    );
  }
  return `exec failed: ${failure ? sentenceOf(failure, subject) : 'runc was killed'}`;
};

/** After `runc start` nobody waits for an answer any more; this is for the trace and the shim's log. */
export const executeFailed = (failure: Failure, subject: Subject): string =>
  failure.wasKilled
    ? 'container init was killed before it ran its program'
    : reasonOf(failure, subject);

const sentenceOf = (failure: Failure, subject: Subject): string => {
  const { step } = failure;
  const reason = `unable to start container process: ${reasonOf(failure, subject)}`;
  if (
    step.purpose === 'cgroup' ||
    step.purpose === 'cgroup limit' ||
    step.purpose === 'device filter'
  ) {
    return `unable to start container process: unable to apply cgroup configuration: ${callOf(failure)}`;
  }
  return reason;
};

const reasonOf = (failure: Failure, { args, cwd }: Subject): string => {
  const { step, record } = failure;
  const why = errnoSentence(record.errno);
  const purpose = step.purpose ?? '';
  if (purpose === 'init') return 'container init exited before it was ready';
  if (purpose === 'chdir')
    return `chdir to cwd (${JSON.stringify(cwd)}) set in config.json failed: ${why}`;
  if (purpose === 'stat executable')
    return `exec: ${JSON.stringify(args[0] ?? '')}: stat ${args[0] ?? ''}: ${why}`;
  if (purpose === 'lookup executable') return lookupError(args[0] ?? '', why);
  if (purpose === 'execve') return `exec ${args[0] ?? ''}: ${why}`;
  if (purpose.startsWith('rlimit ')) {
    return `error setting rlimits for ready process: error setting rlimit type ${purpose.slice('rlimit '.length)}: ${why}`;
  }
  if (purpose === 'id-mapped mount' && step.name === 'mount_setattr')
    return `failed to set MOUNT_ATTR_IDMAP for the mount on ${String(step.attributes?.['engineroom.mount.target'])}: ${why} (perhaps its filesystem takes no id map)`;
  if (record.stage === 'parent') return callOf(failure);
  return `error during container init: ${duringInit(step, why)}`;
};

const lookupError = (name: string, why: string): string => {
  const quoted = JSON.stringify(name);
  return name.includes('/')
    ? `exec: ${quoted}: ${why}`
    : `exec: ${quoted}: executable file not found in $PATH`;
};

const duringInit = (step: Step, why: string): string => {
  const target = String(step.attributes?.['engineroom.mount.target'] ?? '');
  const [, type] = /^ordinary folder for (.*)$/.exec(step.purpose ?? '') ?? [];
  if (type !== undefined)
    return `error mounting ${JSON.stringify(type)}: filesystem ${JSON.stringify(type)} must be mounted on ordinary directory: ${why}`;
  switch (step.purpose) {
    case 'mount':
      return `error mounting ${JSON.stringify(sourceOf(step))} to rootfs at ${JSON.stringify(target)}: ${mountError(step, target)}: ${why}`;
    case 'tmpcopyup':
      return `error mounting "tmpfs" to rootfs at ${JSON.stringify(target)}: tmpcopyup: failed to copy ${target}: ${why}`;
    case 'mount target':
      return `error preparing a mount target: ${step.detail}: ${why}`;
    case 'readonly path':
      return `can't make ${JSON.stringify(target)} read-only: ${why}`;
    case 'masked path':
      return `can't mask path ${JSON.stringify(target)}: ${why}`;
    case 'seccomp':
      return `unable to init seccomp: error loading seccomp filter into kernel: ${why}`;
    case 'apparmor':
      return `unable to apply apparmor profile: apparmor failed to apply profile: ${why}`;
    case 'sethostname':
    case 'setdomainname':
      return `${step.purpose}: ${why}`;
    case 'device':
      return `error creating device nodes: ${step.detail}: ${why}`;
    case 'sysctl':
      return `${step.kind === 'writeFile' ? `open ${step.path}` : step.name}: ${why}`;
    default:
      return `${step.detail}: ${why}`;
  }
};

const callOf = ({ step, record }: Failure): string =>
  `${step.kind === 'writeFile' ? `failed to write ${JSON.stringify(step.data)}: write ${step.path}` : step.detail}: ${errnoSentence(record.errno)}`;

/** `mount SRC:DST, flags: 0x5000, data: mode=755` */
const mountError = (step: Step, target: string): string => {
  if (step.kind !== 'syscall') return step.name;
  const source = sourceOf(step);
  const flags = step.arguments[3]?.kind === 'number' ? Number(step.arguments[3].value) : 0;
  const data = stringOf(step.arguments[4]);
  return [
    `${step.name} ${source === '' ? target : `${source}:${target}`}`,
    ...(flags === 0 ? [] : [`flags: 0x${flags.toString(16)}`]),
    ...(data === '' ? [] : [`data: ${data}`]),
  ].join(', ');
};

const sourceOf = (step: Step): string => stringAt(step, 0);

const stringAt = (step: Step, index: number): string =>
  step.kind === 'syscall' ? stringOf(step.arguments[index]) : '';

const stringOf = (argument: Argument | undefined): string =>
  argument?.kind === 'bytes'
    ? new TextDecoder().decode(argument.data.bytes).replace(/\0.*$/s, '')
    : '';
