/**
 * `runc exec … ID COMMAND …` or `runc exec --process FILE ID`: one more process in a container.
 * Upstream: runc exec.go, utils_linux.go (runner), signals.go.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { execContainer } from '../libcontainer/exec-container.ts';
import { parseSubCgroups } from '../libcontainer/exec-cgroup.ts';
import { readSpec, readState } from '../libcontainer/state-file.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { Process } from '../protocol/oci/runtime-spec.ts';
import { parseLeadingOptions } from './command-line.ts';
import { connectToConsole } from './console-socket.ts';
import { type Flags, isSet, listOf, type Options, textOf } from './flags.ts';
import { foreground } from './foreground.ts';
import { checkConsole } from './launch.ts';
import { logError } from './log.ts';
import { writePidFile } from './pid-file.ts';
import { preservedFds } from './preserved-fds.ts';
import type { Invocation, Verb } from './verb.ts';

const OPTIONS = {
  'console-socket': { type: 'string' },
  cwd: { type: 'string' },
  env: { type: 'string', short: 'e', multiple: true },
  tty: { type: 'boolean', short: 't' },
  user: { type: 'string', short: 'u' },
  'additional-gids': { type: 'string', short: 'g', multiple: true },
  process: { type: 'string', short: 'p' },
  detach: { type: 'boolean', short: 'd' },
  'pid-file': { type: 'string' },
  'process-label': { type: 'string' },
  apparmor: { type: 'string' },
  'no-new-privs': { type: 'boolean' },
  cap: { type: 'string', short: 'c', multiple: true },
  'preserve-fds': { type: 'string', default: '0' },
  cgroup: { type: 'string', multiple: true },
  'ignore-paused': { type: 'boolean' },
} as const satisfies Options;

/** Callers tell runc's own failure from the program's by this code. */
const FAILED = 255;

export const exec: Verb = async (invocation) => {
  const flags = parseLeadingOptions('exec', invocation.rest, OPTIONS);
  try {
    return await run(invocation, flags.id, flags.command, flags);
  } catch (error) {
    const message = messageOf(error);
    const prefix = 'exec failed: ';
    logError(message.startsWith(prefix) ? message : `${prefix}${message}`, invocation.global);
    return FAILED;
  }
};

const run = async (
  { native, tracer, global }: Invocation,
  id: string,
  args: readonly string[],
  flags: Flags,
): Promise<number> => {
  if (textOf(flags, 'process-label') !== undefined)
    throw new EngineError('invalid_argument', 'selinux is not enabled');
  const root = resolve(global.root);
  const program = await processOf(root, id, args, flags);
  const { fds, env } = preservedFds(flags);
  const socket = textOf(flags, 'console-socket') ?? '';
  const detach = isSet(flags, 'detach');
  const hasTerminal = program.terminal === true;
  checkConsole({ hasTerminal, detach, hasSocket: socket !== '' }, '');
  // The process becomes our child when the helper leaves; when we leave, it goes on to the caller.
  native.setChildSubreaper();
  const executed = await execContainer({
    native,
    tracer,
    root,
    id,
    process: { ...program, env: [...(program.env ?? []), ...env] },
    stdio: [0, 1, 2],
    preservedFds: fds,
    subCgroups: parseSubCgroups(listOf(flags, 'cgroup')),
    ignorePaused: isSet(flags, 'ignore-paused'),
    ...(socket === '' ? {} : { consoleSocket: await connectToConsole(socket) }),
  });
  writePidFile(textOf(flags, 'pid-file'), executed.pid);
  return detach ? 0 : foreground(native, executed);
};

const processOf = async (
  root: string,
  id: string,
  args: readonly string[],
  flags: Flags,
): Promise<Process> => {
  const { status } = readState(root, id);
  if (status === 'stopped')
    throw new EngineError('failed_precondition', 'cannot exec in a stopped container');
  const file = textOf(flags, 'process');
  if (file !== undefined) return processIn(file);
  if (args.length === 0) throw new EngineError('invalid_argument', 'process args cannot be empty');
  const first = readSpec(root, id).process;
  if (!first) throw new EngineError('invalid_argument', 'process property must not be empty');
  const caps = listOf(flags, 'cap');
  const [cwd, apparmor] = [textOf(flags, 'cwd'), textOf(flags, 'apparmor')];
  return Process.parse({
    ...first,
    args,
    terminal: isSet(flags, 'tty'),
    env: [...(first.env ?? []), ...listOf(flags, 'env')],
    user: userOf(first.user, flags),
    ...(cwd ? { cwd } : {}),
    ...(apparmor ? { apparmorProfile: apparmor } : {}),
    ...(isSet(flags, 'no-new-privs') ? { noNewPrivileges: true } : {}),
    ...(caps.length > 0 ? { capabilities: withCapabilities(first, caps) } : {}),
  });
};

const processIn = (file: string): Process => {
  let json: string;
  try {
    json = readFileSync(file, 'utf8');
  } catch (error) {
    throw new EngineError('not_found', `open ${file}: no such file or directory`, { cause: error });
  }
  try {
    return Process.parse(JSON.parse(json));
  } catch (error) {
    throw new EngineError('invalid_argument', `${file}: ${messageOf(error)}`, { cause: error });
  }
};

const idOf = (word: string, name: string): number => {
  if (!/^\d+$/.test(word))
    throw new EngineError(
      'invalid_argument',
      `parsing ${word} as int for ${name} failed: strconv.Atoi: parsing ${JSON.stringify(word)}: invalid syntax`,
    );
  return Number(word);
};

/** `UID` or `UID:GID`. */
const userOf = (first: Process['user'], flags: Flags): Process['user'] => {
  const groups = listOf(flags, 'additional-gids').map((word) => idOf(word, 'gid'));
  const additionalGids = [...(first.additionalGids ?? []), ...groups];
  const user = textOf(flags, 'user');
  if (user === undefined) return { ...first, additionalGids };
  const [uid = '', gid] = user.split(':');
  return {
    ...first,
    uid: idOf(uid, 'uid'),
    ...(gid === undefined ? {} : { gid: idOf(gid, 'gid') }),
    additionalGids,
  };
};

const withCapabilities = ({ capabilities }: Process, caps: readonly string[]) => ({
  ...capabilities,
  bounding: [...(capabilities?.bounding ?? []), ...caps],
  effective: [...(capabilities?.effective ?? []), ...caps],
  permitted: [...(capabilities?.permitted ?? []), ...caps],
  ambient: [...(capabilities?.ambient ?? []), ...caps],
});
