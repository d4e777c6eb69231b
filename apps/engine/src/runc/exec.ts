/**
 * `runc exec … ID COMMAND …` or `runc exec --process FILE ID`: one more process in a container.
 * Upstream: runc exec.go, utils_linux.go (runner), signals.go.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import { execContainer, type ExecutedProcess } from '../libcontainer/exec-container.ts';
import { readState } from '../libcontainer/state-file.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { Process, RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import { parseLeadingOptions } from './command-line.ts';
import { connectToConsole } from './console-socket.ts';
import { logError } from './log.ts';
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
  'preserve-fds': { type: 'string' },
  cgroup: { type: 'string', multiple: true },
  'ignore-paused': { type: 'boolean' },
} as const;

/** Callers tell runc's own failure from the program's by this code. */
const FAILED = 255;

type Values = ReturnType<typeof parseLeadingOptions<typeof OPTIONS>>['values'];

export const exec: Verb = async (invocation) => {
  const { values, words } = parseLeadingOptions(invocation.rest, OPTIONS);
  const [id, ...args] = words;
  if (id === undefined)
    throw new EngineError('invalid_argument', 'runc: "exec" requires a minimum of 1 argument(s)');
  try {
    return await run(invocation, id, args, values);
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
  values: Values,
): Promise<number> => {
  for (const name of ['process-label', 'cgroup'] as const) {
    if (values[name] !== undefined)
      throw new EngineError('invalid_argument', `--${name} is not supported`);
  }
  if (values['preserve-fds'] !== undefined && values['preserve-fds'] !== '0')
    throw new EngineError('invalid_argument', '--preserve-fds is not supported');
  const root = resolve(global.root);
  const program = await processOf(root, id, args, values);
  const socket = values['console-socket'];
  const detach = values.detach === true;
  if (program.terminal === true && !detach)
    throw new EngineError('invalid_argument', 'a terminal needs --detach and --console-socket');
  if (program.terminal === true && typeof socket !== 'string')
    throw new EngineError(
      'invalid_argument',
      'cannot allocate tty if runc will detach without setting console socket',
    );
  // The process becomes our child when the helper leaves; when we leave, it goes on to the caller.
  native.setChildSubreaper();
  const executed = await execContainer({
    native,
    tracer,
    root,
    id,
    process: program,
    stdio: [0, 1, 2],
    ignorePaused: values['ignore-paused'] === true,
    ...(typeof socket === 'string' ? { consoleSocket: await connectToConsole(socket) } : {}),
  });
  const pidFile = values['pid-file'];
  if (typeof pidFile === 'string') writeFileSync(pidFile, String(executed.pid));
  return detach ? 0 : exitCodeOf(native, executed);
};

const processOf = async (
  root: string,
  id: string,
  args: readonly string[],
  values: Values,
): Promise<Process> => {
  const { spec } = await readState(root, id);
  if (typeof values.process === 'string')
    return Process.parse(JSON.parse(readFileSync(values.process, 'utf8')));
  if (args.length === 0) throw new EngineError('invalid_argument', 'process args cannot be empty');
  const first = RuntimeSpec.parse(spec).process;
  if (!first) throw new EngineError('invalid_argument', 'process property must not be empty');
  const caps = listOf(values.cap);
  return Process.parse({
    ...first,
    args,
    terminal: values.tty === true,
    env: [...(first.env ?? []), ...listOf(values.env)],
    user: userOf(first.user, values),
    ...(values.cwd ? { cwd: values.cwd } : {}),
    ...(values.apparmor ? { apparmorProfile: values.apparmor } : {}),
    ...(values['no-new-privs'] ? { noNewPrivileges: true } : {}),
    ...(caps.length > 0 ? { capabilities: withCapabilities(first, caps) } : {}),
  });
};

const listOf = (value: string | boolean | string[] | undefined): readonly string[] =>
  Array.isArray(value) ? value : [];

const idOf = (word: string, name: string): number => {
  if (!/^\d+$/.test(word))
    throw new EngineError('invalid_argument', `parsing ${word} as int for ${name} failed`);
  return Number(word);
};

/** `UID` or `UID:GID`. */
const userOf = (first: Process['user'], values: Values): Process['user'] => {
  const groups = listOf(values['additional-gids']).map((word) => idOf(word, 'gid'));
  const additionalGids = [...(first.additionalGids ?? []), ...groups];
  if (typeof values.user !== 'string') return { ...first, additionalGids };
  const [uid = '', gid] = values.user.split(':');
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

const FORWARDED = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const;

/** Signals for us are meant for the program. */
const exitCodeOf = (native: Native, { pid, pidfd }: ExecutedProcess): Promise<number> =>
  new Promise((resolveCode) => {
    for (const name of FORWARDED)
      process.on(name, (_: string, number: number) => native.pidfdSendSignal(pidfd, number));
    const stop = native.watchReadable(pidfd, () => {
      const status = native.reap(pid);
      if (!status) return;
      stop();
      resolveCode(status.code);
    });
  });
