/** More processes in a running container, by the same Tasks service: what is announced, run, and collected. */
import { kindOf } from '../../protocol/errdefs.ts';
import { Status } from '../../protocol/gen/containerd/process_pb.ts';
import { Tasks } from '../../protocol/gen/containerd/tasks_pb.ts';
import type { Process } from '../../protocol/oci/runtime-spec.ts';
import type { GrpcChannel } from '../../transport/grpc-client.ts';
import type { Client } from '../../transport/service.ts';
import { TASK_TIMEOUT_MS, type TaskStdio } from './tasks.ts';

const PROCESS_TYPE = 'types.containerd.io/opencontainers/runtime-spec/1/Process';

export class ExecClient {
  readonly #tasks: Client<(typeof Tasks)['method']>;

  constructor(channel: GrpcChannel) {
    this.#tasks = channel.client(Tasks);
  }

  /** Afterwards the process is known to the shim, and does not exist yet. */
  async add(
    containerId: string,
    execId: string,
    process: Process,
    { stdin, stdout, stderr, isTerminal }: TaskStdio,
  ): Promise<void> {
    await this.#tasks.exec(
      {
        containerId,
        execId,
        stdin,
        stdout,
        stderr,
        terminal: isTerminal,
        spec: { typeUrl: PROCESS_TYPE, value: Buffer.from(JSON.stringify(process)) },
      },
      { timeoutMs: TASK_TIMEOUT_MS, source: __SOURCE__ },
    );
  }

  /** Answers its pid. */
  async start(containerId: string, execId: string): Promise<number> {
    const { pid } = await this.#tasks.start(
      { containerId, execId },
      { timeoutMs: TASK_TIMEOUT_MS, source: __SOURCE__ },
    );
    return pid;
  }

  /** Collects the exit code of what has ended. What is not there is collected. */
  async delete(containerId: string, execId: string): Promise<void> {
    try {
      await this.#tasks.deleteProcess(
        { containerId, execId },
        { timeoutMs: TASK_TIMEOUT_MS, source: __SOURCE__ },
      );
    } catch (error) {
      if (kindOf(error) !== 'not_found') throw error;
    }
  }

  async kill(containerId: string, execId: string, signal: number): Promise<void> {
    await this.#tasks.kill({ containerId, execId, signal }, { source: __SOURCE__ });
  }

  async closeStdin(containerId: string, execId: string): Promise<void> {
    await this.#tasks.closeIO({ containerId, execId, stdin: true }, { source: __SOURCE__ });
  }

  async resize(containerId: string, execId: string, height: number, width: number): Promise<void> {
    await this.#tasks.resizePty({ containerId, execId, height, width }, { source: __SOURCE__ });
  }

  /** Its exit code when it has ended; null while it runs, undefined when it is not known. */
  async exitCode(containerId: string, execId: string): Promise<number | null | undefined> {
    try {
      const { process } = await this.#tasks.get({ containerId, execId }, { timeoutMs: 10_000 });
      return process?.status === Status.STOPPED ? process.exitStatus : null;
    } catch (error) {
      if (kindOf(error) === 'not_found') return undefined;
      throw error;
    }
  }
}
