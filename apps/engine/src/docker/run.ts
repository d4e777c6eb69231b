/** `docker run`: create, attach, wait, start, in this order. Upstream: docker/cli cli/command/container/run.go. */
import type { Socket } from 'node:net';
import type { WaitResponse } from '../protocol/docker-engine-api/containers.ts';
import { FrameDecoder } from '../protocol/docker-engine-api/frame.ts';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { flag, parseArguments, parseNumber, parseSize, value } from './arguments.ts';
import { DaemonError, type EngineApi } from './engine-api.ts';

const FLAGS = {
  rm: flag(),
  detach: flag('d'),
  interactive: flag('i'),
  tty: flag('t'),
  name: value(),
  env: value('e'),
  label: value('l'),
  workdir: value('w'),
  user: value('u'),
  hostname: value('h'),
  memory: value('m'),
  cpus: value(),
  'pids-limit': value(),
  network: value(),
  'read-only': flag(),
  entrypoint: value(),
  'cap-add': value(),
  'cap-drop': value(),
  'stop-signal': value(),
};

/** What the shell is told when the daemon could not do it. */
export const startExitCode = (message: string): number => {
  if (
    /executable file not found|no such file or directory|system cannot find the file/.test(message)
  )
    return 127;
  return /permission denied|is a directory/.test(message) ? 126 : 125;
};

const body = (
  flags: ReadonlyMap<string, readonly string[]>,
  image: string,
  command: readonly string[],
) => {
  const one = (name: string): string => flags.get(name)?.at(-1) ?? '';
  const all = (name: string): readonly string[] => flags.get(name) ?? [];
  const isDetached = flags.has('detach');
  const isInteractive = flags.has('interactive');
  const entrypoint = flags.has('entrypoint') ? [one('entrypoint')] : null;
  return {
    Image: image,
    Cmd: command.length > 0 ? command : null,
    Entrypoint: entrypoint,
    Hostname: one('hostname'),
    User: one('user'),
    WorkingDir: one('workdir'),
    // A name without a value is taken from our own environment.
    Env: all('env').flatMap((text) => {
      if (text.includes('=')) return [text];
      const own = process.env[text];
      return own === undefined ? [] : [`${text}=${own}`];
    }),
    Labels: Object.fromEntries(
      all('label')
        .map((text) => text.split(/=(.*)/s, 2))
        .map(([name, text]) => [name, text ?? '']),
    ),
    Tty: flags.has('tty'),
    OpenStdin: isInteractive,
    StdinOnce: isInteractive && !isDetached,
    AttachStdin: isInteractive && !isDetached,
    AttachStdout: !isDetached,
    AttachStderr: !isDetached,
    StopSignal: one('stop-signal'),
    HostConfig: {
      AutoRemove: flags.has('rm'),
      Memory: flags.has('memory') ? parseSize(one('memory')) : 0,
      NanoCpus: flags.has('cpus') ? Math.round(parseNumber('cpus', one('cpus')) * 1e9) : 0,
      PidsLimit: flags.has('pids-limit') ? parseNumber('pids-limit', one('pids-limit')) : null,
      NetworkMode: one('network') || 'default',
      ReadonlyRootfs: flags.has('read-only'),
      CapAdd: all('cap-add'),
      CapDrop: all('cap-drop'),
    },
  };
};

/** Resolves when the last byte has been handed on. */
const receive = async (socket: Socket, isTerminal: boolean): Promise<void> => {
  const frames = new FrameDecoder();
  const write = (target: NodeJS.WriteStream, bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      target.write(bytes, () => resolve());
    });
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    if (isTerminal) {
      await write(process.stdout, chunk as Buffer);
      continue;
    }
    for (const { stream, payload } of frames.push(chunk as Buffer)) {
      await write(stream === 'stdout' ? process.stdout : process.stderr, payload);
    }
  }
};

const sendStdin = (socket: Socket, isTerminal: boolean): (() => void) => {
  const { stdin } = process;
  if (isTerminal && stdin.isTTY) stdin.setRawMode(true);
  stdin.pipe(socket);
  return () => {
    if (isTerminal && stdin.isTTY) stdin.setRawMode(false);
    stdin.unpipe(socket);
    stdin.destroy();
  };
};

export const run = async (api: EngineApi, words: readonly string[]): Promise<number> => {
  const { flags, rest } = parseArguments(words, FLAGS, { stopsAtWord: true });
  const [image, ...command] = rest;
  if (image === undefined) {
    throw new EngineError('invalid_argument', "'docker run' requires at least 1 argument");
  }
  const config = body(flags, image, command);
  const name = flags.get('name')?.at(-1);
  const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`;
  try {
    const { Id, Warnings } = await api.json<{ Id: string; Warnings: string[] }>(
      'POST',
      `/containers/create${query}`,
      config,
    );
    for (const warning of Warnings) process.stderr.write(`WARNING: ${warning}\n`);
    return flags.has('detach') ? await startDetached(api, Id) : await runAttached(api, Id, config);
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    process.stderr.write(`docker: Error response from daemon: ${error.message}\n`);
    return startExitCode(error.message);
  }
};

const startDetached = async (api: EngineApi, id: string): Promise<number> => {
  await api.call('POST', `/containers/${id}/start`);
  process.stdout.write(`${id}\n`);
  return 0;
};

const runAttached = async (
  api: EngineApi,
  id: string,
  config: ReturnType<typeof body>,
): Promise<number> => {
  const streams = `stream=1&stdout=1&stderr=1${config.OpenStdin ? '&stdin=1' : ''}`;
  const socket = await api.upgrade(`/containers/${id}/attach?${streams}`);
  const condition = config.HostConfig.AutoRemove ? 'removed' : 'next-exit';
  // The answer's head comes at once; the start must not come before it.
  const exit = await api.stream('POST', `/containers/${id}/wait?condition=${condition}`);
  const output = receive(socket, config.Tty);
  output.catch(() => undefined);
  const forward = (signal: NodeJS.Signals) => (): void => {
    // It may have exited by now.
    void api.call('POST', `/containers/${id}/kill?signal=${signal}`).catch(() => undefined);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, forward(signal));
  let stopStdin = (): void => undefined;
  try {
    await api.call('POST', `/containers/${id}/start`);
    if (config.OpenStdin) stopStdin = sendStdin(socket, config.Tty);
    if (config.Tty && process.stdout.isTTY) {
      const { rows, columns } = process.stdout;
      await api
        .call('POST', `/containers/${id}/resize?h=${rows}&w=${columns}`)
        .catch(() => undefined);
    }
    await output;
    const chunks: Buffer[] = [];
    for await (const chunk of exit) chunks.push(chunk as Buffer);
    const { StatusCode } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as WaitResponse;
    return StatusCode;
  } catch (error) {
    if (error instanceof DaemonError) throw error;
    process.stderr.write(`docker: ${messageOf(error)}\n`);
    return 125;
  } finally {
    stopStdin();
    socket.destroy();
    exit.destroy();
  }
};
