/**
 * Another OCI runtime (real runc, crun …) behind our shim, run as real shims run it: one command a verb, the terminal
 * over a socket, pids through files, errors out of a log of JSON lines.
 *
 * It tells nothing of itself. What the trace says here was seen from outside: its command lines, its exit, and what
 * /proc has to say of the processes that it leaves behind.
 * Upstream: github.com/containerd/go-runc (runc.go, console.go), containerd cmd/containerd-shim-runc-v2/process/init.go.
 */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Native } from '../../../../native/native.ts';
import { EngineError } from '../protocol/errdefs.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import { ConsoleListener } from './console-listener.ts';
import { ForeignTrace } from './foreign-trace.ts';
import type {
  BornProcess,
  OciRuntime,
  RuntimeCreate,
  RuntimeExec,
  RuntimeUpdate,
} from './oci-runtime.ts';

interface Call {
  readonly root: string;
  readonly id: string;
  readonly bundle: string;
  readonly words: readonly string[];
  readonly stdio?: readonly [number, number, number];
}

export class ForeignRuntime implements OciRuntime {
  readonly #native: Native;
  readonly #tracer: Tracer;
  /** Its name in PATH, or where it is. */
  readonly #binary: string;
  readonly #globalFlags: readonly string[];
  readonly #createFlags: readonly string[];
  #execs = 0;

  constructor(
    native: Native,
    tracer: Tracer,
    {
      binary,
      globalFlags = [],
      createFlags = [],
    }: {
      readonly binary: string;
      readonly globalFlags?: readonly string[];
      readonly createFlags?: readonly string[];
    },
  ) {
    this.#native = native;
    this.#tracer = tracer;
    this.#binary = binary;
    this.#globalFlags = globalFlags;
    this.#createFlags = createFlags;
  }

  create({ root, id, bundle, stdio, terminal }: RuntimeCreate): Promise<BornProcess> {
    return this.#span('create', id, async (trace) => {
      const pidFile = join(bundle, 'init.pid');
      const flags = ['--bundle', bundle, '--pid-file', pidFile, ...this.#createFlags];
      const born = await this.#bear(
        { root, id, bundle, stdio, words: ['create', ...flags] },
        { trace, pidFile, terminal },
      );
      trace.containerBorn(born.pid);
      return born;
    });
  }

  start({ root, id, bundle, pid, argv }: Parameters<OciRuntime['start']>[0]): Promise<void> {
    return this.#span('start', id, async (trace) => {
      await this.#run({ root, id, bundle, words: ['start'] }, trace);
      trace.programRuns(pid, argv);
    });
  }

  exec({ root, id, bundle, process: spec, stdio }: RuntimeExec): Promise<BornProcess> {
    return this.#span('exec', id, async (trace) => {
      const name = join(bundle, `exec-${(this.#execs += 1)}`);
      const [specFile, pidFile] = [`${name}.json`, `${name}.pid`];
      writeFileSync(specFile, JSON.stringify(spec), { mode: 0o600 });
      try {
        const words = ['exec', '--process', specFile, '--detach', '--pid-file', pidFile];
        const born = await this.#bear(
          { root, id, bundle, stdio, words },
          { trace, pidFile, terminal: spec.terminal === true },
        );
        trace.containerBorn(born.pid);
        trace.programRuns(born.pid, spec.args ?? []);
        return born;
      } finally {
        rmSync(specFile, { force: true });
        rmSync(pidFile, { force: true });
      }
    });
  }

  update({ root, id, bundle, resources }: RuntimeUpdate): Promise<void> {
    return this.#span('update', id, async (trace) => {
      const file = join(bundle, 'resources.json');
      writeFileSync(file, JSON.stringify(resources), { mode: 0o600 });
      try {
        await this.#run({ root, id, bundle, words: ['update', '--resources', file] }, trace);
      } finally {
        rmSync(file, { force: true });
      }
    });
  }

  delete(container: Parameters<OciRuntime['delete']>[0], force: boolean): Promise<void> {
    return this.#span('delete', container.id, async (trace) => {
      const words = ['delete', ...(force ? ['--force'] : [])];
      await this.#run({ ...container, words }, trace).catch((error: unknown) => {
        if (!(error instanceof EngineError && /does not exist/.test(error.message))) throw error;
      });
    });
  }

  /** A verb at whose end there is a new process. */
  async #bear(
    call: Call,
    {
      trace,
      pidFile,
      terminal,
    }: { readonly trace: ForeignTrace; readonly pidFile: string; readonly terminal: boolean },
  ): Promise<BornProcess> {
    const console = terminal ? await ConsoleListener.open(this.#native) : null;
    try {
      const words = console ? [...call.words, '--console-socket', console.path] : call.words;
      await this.#run({ ...call, words }, trace);
      const pid = Number(readFileSync(pidFile, 'utf8'));
      const pidfd = this.#native.pidfdOpen(pid);
      return { pid, pidfd, ptyMaster: console ? await console.receive() : null };
    } finally {
      console?.close();
    }
  }

  #span<T>(verb: string, id: string, work: (trace: ForeignTrace) => Promise<T>): Promise<T> {
    const words = {
      source: __SOURCE__,
      attributes: { 'container.id': id, 'engineroom.topology.component': this.#binary },
    } as const;
    return this.#tracer.span(`runc ${verb}`, words, (span: Span) =>
      work(new ForeignTrace(this.#tracer, span, { binary: this.#binary, containerId: id, verb })),
    );
  }

  async #run({ root, id, bundle, words, stdio }: Call, trace: ForeignTrace): Promise<void> {
    const log = join(bundle, 'log.json');
    rmSync(log, { force: true });
    const global = ['--root', root, '--log', log, '--log-format', 'json', ...this.#globalFlags];
    const args = [...global, ...words, id];
    // With pipes of the container's nothing of the runtime's own must get into them; else it may say what it likes.
    const child = spawn(this.#binary, args, {
      cwd: bundle,
      stdio: stdio ? [...stdio] : ['ignore', 'ignore', 'ignore'],
    });
    const ended = new Promise<number>((resolve) => {
      child.once('error', () => resolve(127));
      child.once('exit', (code, signal) => resolve(code ?? (signal ? 128 : 1)));
    });
    if (child.pid === undefined) {
      await ended;
      throw new EngineError(
        'not_found',
        `exec: "${this.#binary}": executable file not found in $PATH`,
      );
    }
    trace.forked(child.pid, [this.#binary, ...args]);
    const code = await ended;
    trace.exited(child.pid, code);
    if (code !== 0)
      throw new EngineError(
        'unknown',
        lastError(log) ?? `${this.#binary} ${words[0]}: exit status ${code}`,
      );
  }
}

/** The last message of level "error" is what went wrong. */
const lastError = (path: string): string | null => {
  try {
    const messages = readFileSync(path, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { readonly level?: string; readonly msg?: string })
      .filter(({ level }) => level === 'error');
    return messages.at(-1)?.msg ?? null;
  } catch {
    return null;
  }
};
