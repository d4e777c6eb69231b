/**
 * `docker exec -it` over the Engine API, as the official client does it: create, start with the connection taken over,
 * resize, and ask for the exit code. docs.docker.com/reference/api/engine/ (Exec)
 */
import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { EngineError } from '../../protocol/errdefs.ts';
import { formatTraceparent, type SpanContext } from '../../tracing/context.ts';
import type { TerminalWish } from '../policy/terminal.ts';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export class ExecStream {
  readonly #socketPath: string;
  readonly #context: SpanContext;
  readonly #id: string;
  readonly connection: Socket;

  private constructor(
    { socketPath, context }: ExecOptions,
    { id, connection }: { readonly id: string; readonly connection: Socket },
  ) {
    this.#socketPath = socketPath;
    this.#context = context;
    this.#id = id;
    this.connection = connection;
  }

  static async open(
    options: ExecOptions,
    wish: TerminalWish,
    size: TerminalSize,
  ): Promise<ExecStream> {
    const created = await call(options, `/containers/${encodeURIComponent(wish.container)}/exec`, {
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
      ConsoleSize: [size.rows, size.columns],
      Env: ['TERM=xterm-256color'],
      Cmd: wish.command,
      ...(wish.user === null ? {} : { User: wish.user }),
      ...(wish.workdir === null ? {} : { WorkingDir: wish.workdir }),
    });
    const { Id: id } = created as { Id: string };
    const connection = await takeOver(options, `/exec/${id}/start`, {
      Detach: false,
      Tty: true,
      ConsoleSize: [size.rows, size.columns],
    });
    return new ExecStream(options, { id, connection });
  }

  async resize({ columns, rows }: TerminalSize): Promise<void> {
    await call(this.#options, `/exec/${this.#id}/resize?h=${rows}&w=${columns}`);
  }

  /** Null when nobody can say. */
  async exitCode(): Promise<number | null> {
    const { ExitCode: code } = (await call(
      this.#options,
      `/exec/${this.#id}/json`,
      null,
      'GET',
    )) as {
      ExitCode: number | null;
    };
    return code;
  }

  get #options(): ExecOptions {
    return { socketPath: this.#socketPath, context: this.#context };
  }
}

export interface ExecOptions {
  readonly socketPath: string;
  /** The trace that the exec belongs to. */
  readonly context: SpanContext;
}

const headersOf = ({ context }: ExecOptions, body: unknown): Record<string, string> => ({
  Host: 'docker',
  'User-Agent': 'engine-room-lab',
  traceparent: formatTraceparent(context),
  ...(body === null || body === undefined ? {} : { 'Content-Type': 'application/json' }),
});

async function call(
  options: ExecOptions,
  path: string,
  body: unknown = null,
  method: 'GET' | 'POST' = 'POST',
): Promise<unknown> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = headersOf(options, body);
    const sent = request({ socketPath: options.socketPath, method, path, headers, agent: false });
    sent.once('response', resolve);
    sent.once('error', reject);
    sent.end(body === null ? undefined : JSON.stringify(body));
  });
  const answer = await text(response);
  if ((response.statusCode ?? 500) >= 400) throw failure(answer, response.statusCode);
  return answer === '' ? null : (JSON.parse(answer) as unknown);
}

const takeOver = (options: ExecOptions, path: string, body: unknown): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const json = JSON.stringify(body);
    const sent = request({
      socketPath: options.socketPath,
      method: 'POST',
      path,
      agent: false,
      headers: {
        ...headersOf(options, body),
        'Content-Length': String(Buffer.byteLength(json)),
        Connection: 'Upgrade',
        Upgrade: 'tcp',
      },
    });
    sent.once('upgrade', (_response, socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket as Socket);
    });
    sent.once('response', (response) => {
      text(response).then((answer) => reject(failure(answer, response.statusCode)), reject);
    });
    sent.once('error', reject);
    sent.end(json);
  });

/** The daemon's own words. */
function failure(answer: string, status: number | undefined): EngineError {
  try {
    const { message } = JSON.parse(answer) as { message?: string };
    return new EngineError('internal', message ?? `status ${status}`);
  } catch {
    return new EngineError('internal', `the engine answered with status ${status}`);
  }
}
