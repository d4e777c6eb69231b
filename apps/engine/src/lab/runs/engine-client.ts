/**
 * The lab's own few questions to the engine, over the same socket and API that everybody uses.
 * They carry a trace of their own, which the collector leaves out: nobody pressed Send Request for them.
 */
import { request } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { EngineError, type ErrorKind } from '../../protocol/errdefs.ts';
import { formatTraceparent, newSpanId, newTraceId } from '../../tracing/context.ts';

export interface ListedContainer {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
}

/** What the lab needs of `docker inspect`. */
export interface InspectedContainer {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  /** 0 when it has no process. */
  readonly pid: number;
  readonly exitCode: number;
  readonly image: string;
}

/** What the lab needs of `docker volume inspect`. */
export interface Volume {
  readonly labels: Readonly<Record<string, string>>;
  readonly mountpoint: string;
}

const ANSWER_LIMIT_BYTES = 8 * 1024 * 1024;
const PATIENCE_MS = 10_000;

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined;

const messageIn = (body: unknown): string | null => {
  const message = field(body, 'message');
  return typeof message === 'string' ? message : null;
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A progress stream is one JSON a line, and its last line says how it went. */
const lastJson = (text: string): unknown => {
  const lines = text.trim().split('\n');
  return lines[0] === '' ? null : (JSON.parse(lines.at(-1) ?? 'null') as unknown);
};

const labelsOf = (value: unknown): Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, string>>) : {};

export class EngineClient {
  readonly #socketPath: string;
  /** The trace of the lab's questions. */
  readonly traceId = newTraceId();

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** Containers that carry the label (with that value, if one is given). */
  async list(
    label: string,
    value: string | null,
    options: { readonly all: boolean },
  ): Promise<readonly ListedContainer[]> {
    const filters = JSON.stringify({ label: [value === null ? label : `${label}=${value}`] });
    const path = `/containers/json?all=${options.all}&filters=${encodeURIComponent(filters)}`;
    const answer = await this.#call('GET', path);
    if (!Array.isArray(answer))
      throw new EngineError('internal', 'the list of containers is no list');
    return answer
      .map((item) => ({
        id: textOf(field(item, 'Id')),
        labels: labelsOf(field(item, 'Labels')),
        createdAtMs: Number(field(item, 'Created')) * 1000,
      }))
      .filter(({ labels }) =>
        value === null ? Object.hasOwn(labels, label) : labels[label] === value,
      );
  }

  /** How many containers run now, whoever's they are. */
  async count(): Promise<number> {
    const answer = await this.#call('GET', '/containers/json');
    return Array.isArray(answer) ? answer.length : 0;
  }

  /** The container of that name or id, or null when there is none. */
  async inspect(reference: string): Promise<InspectedContainer | null> {
    try {
      const answer = await this.#call('GET', `/containers/${encodeURIComponent(reference)}/json`);
      const [config, state] = [field(answer, 'Config'), field(answer, 'State')];
      return {
        labels: labelsOf(field(config, 'Labels')),
        state: textOf(field(state, 'Status')),
        pid: Number(field(state, 'Pid')),
        exitCode: Number(field(state, 'ExitCode')),
        image: textOf(field(config, 'Image')),
      };
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'not_found') return null;
      throw error;
    }
  }

  /** The labels of a container, or null when there is none of that name. */
  async labels(reference: string): Promise<Readonly<Record<string, string>> | null> {
    return (await this.inspect(reference))?.labels ?? null;
  }

  /** The volume of that name, or null when there is none. */
  async volume(name: string): Promise<Volume | null> {
    try {
      const answer = await this.#call('GET', `/volumes/${encodeURIComponent(name)}`);
      return {
        labels: labelsOf(field(answer, 'Labels')),
        mountpoint: textOf(field(answer, 'Mountpoint')),
      };
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'not_found') return null;
      throw error;
    }
  }

  /** How many volumes carry the label. */
  async countVolumes(label: string): Promise<number> {
    const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
    const volumes = field(await this.#call('GET', `/volumes?filters=${filters}`), 'Volumes');
    return Array.isArray(volumes) ? volumes.length : 0;
  }

  async startedAtMs(id: string): Promise<number> {
    const answer = await this.#call('GET', `/containers/${encodeURIComponent(id)}/json`);
    return Date.parse(String(field(field(answer, 'State'), 'StartedAt')));
  }

  /** The container's process on the host; 0 when it does not run (or is gone). */
  async pidOf(id: string): Promise<number> {
    try {
      const answer = await this.#call('GET', `/containers/${encodeURIComponent(id)}/json`);
      return Number(field(field(answer, 'State'), 'Pid'));
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'not_found') return 0;
      throw error;
    }
  }

  async isLiveRestore(): Promise<boolean> {
    return field(await this.#call('GET', '/info'), 'LiveRestoreEnabled') === true;
  }

  async kill(id: string): Promise<void> {
    try {
      await this.#call('POST', `/containers/${encodeURIComponent(id)}/kill?signal=KILL`);
    } catch (error) {
      // It has ended already, which is what was wanted.
      if (
        !(error instanceof EngineError) ||
        (error.kind !== 'not_found' && error.kind !== 'conflict')
      )
        throw error;
    }
  }

  /** The image of that name, or null when there is none. */
  async image(
    reference: string,
  ): Promise<{ id: string; labels: Readonly<Record<string, string>> } | null> {
    try {
      const answer = await this.#call('GET', `/images/${encodeURIComponent(reference)}/json`);
      return {
        id: textOf(field(answer, 'Id')),
        labels: labelsOf(field(field(answer, 'Config'), 'Labels')),
      };
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'not_found') return null;
      throw error;
    }
  }

  /** `docker load`: the answer is a stream of progress, of which only an error matters. */
  async load(archive: Readable): Promise<void> {
    const progress = await this.#call('POST', '/images/load?quiet=1', archive);
    const problem = field(progress, 'error');
    if (typeof problem === 'string') throw new EngineError('internal', problem);
  }

  #call(method: 'GET' | 'POST', path: string, body?: Readable): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const unavailable = (cause: Error): void =>
        reject(new EngineError('unavailable', 'the engine does not answer', { cause }));
      const outgoing = request(
        {
          socketPath: this.#socketPath,
          method,
          path,
          headers: {
            Host: 'docker',
            'User-Agent': 'engine-room-lab',
            ...(body ? { 'Content-Type': 'application/x-tar' } : {}),
            traceparent: formatTraceparent({ traceId: this.traceId, spanId: newSpanId() }),
          },
          timeout: PATIENCE_MS,
          agent: false,
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
            if (text.length > ANSWER_LIMIT_BYTES)
              response.destroy(new Error('the answer is too long'));
          });
          response.on('error', unavailable);
          response.on('end', () => {
            try {
              const answer = lastJson(text);
              const status = response.statusCode ?? 0;
              if (status < 400) resolve(answer);
              else
                reject(
                  new EngineError(
                    KINDS[status] ?? 'internal',
                    messageIn(answer) ?? `status ${status}`,
                  ),
                );
            } catch (error) {
              unavailable(error as Error);
            }
          });
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
      outgoing.on('error', unavailable);
      if (body) pipeline(body, outgoing, (error) => error && unavailable(error));
      else outgoing.end();
    });
  }
}

const KINDS: Readonly<Record<number, ErrorKind>> = {
  400: 'invalid_argument',
  404: 'not_found',
  409: 'conflict',
  503: 'unavailable',
};
