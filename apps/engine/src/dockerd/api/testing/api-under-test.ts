/** The HTTP face over a real socket, with a backend that does what a test has it do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request, type IncomingMessage, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TraceEvent } from '../../../protocol/trace/event.ts';
import { Tracer } from '../../../tracing/tracer.ts';
import { ClientProcesses, DOCKER_CLIENTS } from '../../../transport/client-processes.ts';
import { listenOnSocket } from '../../../transport/unix-socket.ts';
import type { Backend } from '../backend.ts';
import { createApiServer } from '../server.ts';

export class ApiUnderTest {
  readonly #directory = mkdtempSync(join(tmpdir(), 'engine-room-api-'));
  readonly path = join(this.#directory, 'docker.sock');
  readonly events: TraceEvent[] = [];
  readonly backend: Partial<Backend> = { engineVersion: '0' };
  readonly server: Server;

  private constructor() {
    const exporter = {
      export: (event: TraceEvent) => void this.events.push(event),
      flush: () => Promise.resolve(),
      close: () => undefined,
    };
    const tracer = new Tracer('dockerd', exporter);
    const calls = {
      peerCredentials: () => ({ pid: process.pid, uid: 0, gid: 0 }),
      pidfdOpen: () => -1,
      watchReadable: () => () => undefined,
      close: () => undefined,
    };
    const clients = new ClientProcesses(tracer, calls, DOCKER_CLIENTS);
    this.server = createApiServer({
      ...{ backend: this.backend as Backend, tracer, clients },
      tls: null,
    });
  }

  static async start(): Promise<ApiUnderTest> {
    const api = new ApiUnderTest();
    await listenOnSocket(api.server, api.path);
    return api;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  send(
    method: string,
    url: string,
    options: { body?: string; headers?: Record<string, string> } = {},
  ): Promise<{ response: IncomingMessage; body: string }> {
    return new Promise((resolve, reject) => {
      const { headers = {}, body } = options;
      const sent = request({ socketPath: this.path, method, path: url, headers });
      sent.on('error', reject);
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ response, body: Buffer.concat(chunks).toString() }));
      });
      sent.end(body);
    });
  }

  /** Sends these bytes, and answers what came until the other side hung up. */
  raw(text: string): Promise<string> {
    return new Promise((resolve) => {
      let answer = '';
      const socket = connect(this.path, () => socket.write(text));
      socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
      socket.on('close', () => resolve(answer));
    });
  }
}
