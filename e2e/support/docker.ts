/** The official docker CLI as a program: argv in, bytes and an exit code out. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { EngineAddress } from './engine.ts';

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
  readonly stderrBytes: Buffer;
}

export interface Options {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
}

/** A started command whose output can be awaited line by line. */
export interface Running {
  readonly process: ChildProcessWithoutNullStreams;
  /** Resolves with what has been printed to stdout as soon as it matches. */
  until(pattern: RegExp): Promise<string>;
  readonly finished: Promise<Result>;
}

export interface Docker {
  (args: readonly string[], options?: Options): Promise<Result>;
  start(args: readonly string[], options?: Options): Running;
  /** Under a terminal of 80 columns and 24 rows, through script(1). */
  onTerminal(args: readonly string[], options?: Options): Running;
  /** For commands that must not fail: trimmed stdout. */
  ok(args: readonly string[], options?: Options): Promise<string>;
  /** `docker inspect` of one object. */
  inspect(name: string): Promise<Inspected>;
}

/** The few fields of `docker inspect` that the tests read. */
export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly Created: string;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly ExecIDs: readonly string[] | null;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly OOMKilled: boolean;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
  readonly Config: {
    readonly Hostname: string;
    readonly User: string;
    readonly Env: readonly string[];
    readonly Cmd: readonly string[] | null;
    readonly Image: string;
    readonly WorkingDir: string;
    readonly Tty: boolean;
  };
  readonly HostConfig: {
    readonly Memory: number;
    readonly NanoCpus: number;
    readonly PidsLimit: number | null;
    readonly NetworkMode: string;
    readonly ReadonlyRootfs: boolean;
    readonly AutoRemove: boolean;
  };
}

/** The CLI, bound to one engine, without the user's own configuration. */
export function dockerFor({ socket, root }: EngineAddress): Docker {
  const environment = (env: Options['env']) => ({
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: root,
    DOCKER_CONFIG: root,
    DOCKER_HOST: `unix://${socket}`,
    TERM: 'xterm',
    ...env,
  });
  const launch = (file: string, args: readonly string[], { input, env }: Options = {}): Running => {
    const child = spawn(file, args, { env: environment(env) });
    const running = observe(child);
    if (input !== undefined) child.stdin.end(input);
    return running;
  };

  const start = (args: readonly string[], options?: Options) => launch('docker', args, options);
  const run = async (args: readonly string[], options: Options = {}) => {
    const running = start(args, { input: '', ...options });
    return running.finished;
  };
  const ok = async (args: readonly string[], options?: Options) => {
    const result = await run(args, options);
    if (result.code !== 0)
      throw new Error(`docker ${args.join(' ')} ended with ${result.code}: ${result.stderr}`);
    return result.stdout.trim();
  };
  return Object.assign(run, {
    start,
    ok,
    onTerminal: (args: readonly string[], options?: Options) =>
      launch(
        'script',
        ['-qefc', `stty rows 24 cols 80; exec docker ${args.map(quote).join(' ')}`, '/dev/null'],
        options,
      ),
    inspect: async (name: string) => {
      const [object] = JSON.parse(await ok(['inspect', name])) as Inspected[];
      if (!object) throw new Error(`docker inspect ${name} printed nothing`);
      return object;
    },
  });
}

const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

function observe(child: ChildProcessWithoutNullStreams): Running {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A command that ends before it has read its input is no failure of ours.
  child.stdin.on('error', () => {});
  const finished = once(child, 'close').then(([code, signal]: unknown[]): Result => {
    const stdoutBytes = Buffer.concat(out);
    const stderrBytes = Buffer.concat(err);
    return {
      code: typeof code === 'number' ? code : 128 + (signal === 'SIGKILL' ? 9 : 15),
      stdout: stdoutBytes.toString(),
      stderr: stderrBytes.toString(),
      stdoutBytes,
      stderrBytes,
    };
  });
  return {
    process: child,
    finished,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const text = Buffer.concat(out).toString();
          if (!pattern.test(text)) return false;
          child.stdout.off('data', look);
          resolve(text);
          return true;
        };
        if (look()) return;
        child.stdout.on('data', look);
        void finished.then(({ code, stdout, stderr }) => {
          if (!look())
            reject(new Error(`ended with ${code} before ${String(pattern)}: ${stdout}${stderr}`));
        });
      }),
  };
}
