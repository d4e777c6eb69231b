/** A real lab with real daemons in temporary folders, spoken to as the page and a terminal do. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, vi } from 'vitest';
import WebSocket from 'ws';
import type { SequencedEvent } from '../../protocol/trace/event.ts';
import type { ServerFrame, TraceSummary } from '../../protocol/trace/stream.ts';
import { decodeTraceFile } from '../collector/trace-file.ts';
import { binary } from '../paths.ts';

export interface Place {
  readonly folder: string;
  readonly execRoot: string;
  readonly dataRoot: string;
  readonly cgroupParent: string;
}

export const aPlace = (): Place => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-kernel-'));
  return {
    folder,
    execRoot: join(folder, 'run'),
    dataRoot: join(folder, 'data'),
    cgroupParent: `/${basename(folder)}`,
  };
};

/** Whatever a failed test has left there. */
export const clearPlace = async ({
  folder,
  execRoot,
  dataRoot,
  cgroupParent,
}: Place): Promise<void> => {
  const flags = [
    '--yes',
    '--exec-root',
    execRoot,
    '--data-root',
    dataRoot,
    '--cgroup-parent',
    cgroupParent,
  ];
  await promisify(execFile)(process.execPath, [
    join(binary('lab'), '../../../../scripts/reset.mjs'),
    ...flags,
  ]);
  rmSync(folder, { recursive: true, force: true });
};

export class LabProcess {
  readonly place: Place;
  readonly #child: ChildProcess;
  readonly #base: string;
  readonly #token: string;
  /** Where its door for an audience is, if it has one. */
  readonly audience: string | null;
  /** The browser that it is spoken to from; without one, a program that has nothing but the token. */
  cookie = '';

  private constructor(
    place: Place,
    child: ChildProcess,
    [url, audience]: readonly [URL, string | null],
  ) {
    this.place = place;
    this.audience = audience;
    this.#child = child;
    this.#base = url.origin;
    this.#token = url.hash.replace('#token=', '');
  }

  /** `uid`: as somebody who may not start containers, so that it is a lab without an engine. */
  static async start(
    place: Place,
    more: Readonly<Record<string, string>> = {},
    uid?: number,
  ): Promise<LabProcess> {
    const flags = {
      ...more,
      '--port': '0',
      '--exec-root': place.execRoot,
      '--data-root': place.dataRoot,
      '--cgroup-parent': place.cgroupParent,
    };
    const child = spawn(binary('lab'), ['--no-open', ...Object.entries(flags).flat()], {
      stdio: ['ignore', 'pipe', 'inherit'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    let audience: string | null = null;
    for await (const line of createInterface({ input: child.stdout })) {
      audience = /follow rooms at +(http:\S+)\/room/.exec(line)?.[1] ?? audience;
      const url = /Open +(http:\S+)/.exec(line)?.[1];
      if (url !== undefined) {
        child.stdout.resume();
        return new LabProcess(place, child, [new URL(url), audience]);
      }
    }
    throw new Error('the lab ended before it said where it is');
  }

  get base(): string {
    return this.#base;
  }

  get token(): string {
    return this.#token;
  }

  async signal(signal: NodeJS.Signals): Promise<number | null> {
    const exited = once(this.#child, 'exit') as Promise<[number | null]>;
    this.#child.kill(signal);
    return (await exited)[0];
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  pidOf(actor: 'dockerd' | 'containerd'): number {
    const record = JSON.parse(
      readFileSync(join(this.place.execRoot, 'lab', `${actor}.json`), 'utf8'),
    ) as { pid: number };
    return record.pid;
  }

  get #headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.#token}`, Cookie: this.cookie };
  }

  /** A browser that has loaded the page for the first time, as the cookie that it got. */
  async newBrowser(): Promise<string> {
    const [cookie = ''] = (await fetch(this.#base)).headers.getSetCookie();
    return cookie.split(';')[0] ?? '';
  }

  async api(path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
    const response = await fetch(`${this.#base}/api${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...this.#headers, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: await response.json() };
  }

  async events(traceId: string): Promise<readonly SequencedEvent[]> {
    const response = await fetch(`${this.#base}/api/traces/${traceId}`, {
      headers: this.#headers,
    });
    const { lines } = await decodeTraceFile(Buffer.from(await response.arrayBuffer()));
    return lines.map((line) => JSON.parse(line) as SequencedEvent);
  }

  /** Resolves with the first frame that fits; acknowledges as a page does. */
  async frame<T>(
    pick: (frame: ServerFrame) => T | undefined,
    begin: () => Promise<void> = () => Promise.resolve(),
  ): Promise<T> {
    const url = `${this.#base.replace('http', 'ws')}/api/stream`;
    const socket = new WebSocket(url, ['engine-room.v1', `token.${this.#token}`], {
      headers: { Cookie: this.cookie },
    });
    try {
      return await new Promise<T>((resolve, reject) => {
        socket.on('error', reject);
        socket.on('message', (data: Buffer) => {
          const frame = JSON.parse(data.toString()) as ServerFrame;
          if (frame.type === 'hello') {
            socket.send(JSON.stringify({ type: 'resume', have: {} }));
            begin().catch(reject);
          }
          if (frame.type === 'events')
            socket.send(JSON.stringify({ type: 'ack', frame: frame.frame }));
          const picked = pick(frame);
          if (picked !== undefined) resolve(picked);
        });
      });
    } finally {
      socket.close();
    }
  }

  /** Send Request, and the end of its trace. */
  async run(command: string): Promise<TraceSummary> {
    let wanted: string | null = null;
    const ended = new Map<string, TraceSummary>();
    return this.frame(
      (frame) => {
        if (frame.type === 'trace' && frame.trace.state === 'ended')
          ended.set(frame.trace.traceId, frame.trace);
        return wanted === null ? undefined : ended.get(wanted);
      },
      async () => {
        const { status, json } = await this.api('/run', { command });
        if (status !== 202) throw new Error(JSON.stringify(json));
        wanted = (json as { traceId: string }).traceId;
      },
    );
  }

  /** As in a terminal, with the lab's own choice of client. */
  async docker(...args: readonly string[]): Promise<string> {
    const env = {
      ...process.env,
      DOCKER_HOST: `unix://${join(this.place.execRoot, 'docker.sock')}`,
    };
    return (await promisify(execFile)('docker', [...args], { env })).stdout.trim();
  }
}

/** A spare shim leaves by itself when it sees that its containerd has gone, which may be after the lab's end. */
export const nothingStays = (place: Place): Promise<void> =>
  vi.waitFor(() => expect(leftovers(place)).toEqual([]), 15_000);

/** What must be the same before and after. */
const leftovers = ({ folder, cgroupParent }: Place): readonly string[] => {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(folder));
  const cgroups = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .flatMap((line) => listFolder(join(line.split(' ')[4] ?? '', cgroupParent)));
  const sockets = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .filter((line) => line.includes(folder));
  return [...mounts, ...cgroups, ...sockets];
};

const listFolder = (path: string): readonly string[] => {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(path, entry.name));
  } catch {
    return [];
  }
};
