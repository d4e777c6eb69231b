/** What containerd says to a template of shims; here a server of a few lines stands in the template's place. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Log } from '../log.ts';
import { JsonLines } from './json-lines.ts';
import { SpareKeeper } from './spare.ts';

const SHIM = '/shim';
let folder: string;
let keeper: SpareKeeper;
let template: Template | undefined;

/** Writes down in `heard` who came and what was taught. */
class Template {
  readonly heard: unknown[] = [];
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  #wake: () => void = () => undefined;

  constructor(claimSocket: string) {
    this.#server = createServer((socket) => {
      const isLine = this.#sockets.push(socket) === 1;
      socket.write('{"pid":1,"startTime":"1"}\n');
      if (isLine) void this.#learn(socket);
      else {
        this.heard.push('spare');
        void this.#foresee(socket);
      }
    }).listen(claimSocket);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #foresee(spare: Socket): Promise<void> {
    const lines = new JsonLines(spare);
    for (;;) {
      const request = await lines.next(10_000).catch(() => undefined);
      if (!request) return;
      if ('config' in (request as object)) this.heard.push(request);
      this.#wake();
    }
  }

  /** The next word to a spare. */
  next(): Promise<void> {
    return new Promise((wake) => (this.#wake = wake));
  }

  async #learn(line: Socket): Promise<void> {
    const lines = new JsonLines(line);
    for (;;) {
      const lesson = await lines.next(10_000).catch(() => undefined);
      if (!lesson) return;
      this.heard.push(lesson);
      line.write('{}\n');
    }
  }
}

/** Says when a spare waits: the template has then sent it, and the keeper has got it. */
class ReadyLog extends Log {
  #wake: () => void = () => undefined;

  override debug(message: string): void {
    if (message === 'spare shim is ready') this.#wake();
  }

  next(): Promise<void> {
    return new Promise((wake) => (this.#wake = wake));
  }
}

let log: ReadyLog;

beforeEach(() => {
  log = new ReadyLog('error');
  folder = mkdtempSync(join(tmpdir(), 'spare-'));
  keeper = new SpareKeeper({
    folder,
    shimPath: () => SHIM,
    surroundings: { address: '/a', ttrpcAddress: '/b', publishBinary: '', isDebug: false },
    spawnDetached: ({ argv }) => {
      template = new Template(argv.at(-1) ?? '');
      return 1;
    },
    log,
    isWanted: true,
  });
});
afterEach(async () => {
  keeper.stop();
  await template?.close();
  template = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const config = (seccomp?: unknown) => Buffer.from(JSON.stringify({ linux: { seccomp } }));
/** Begins with a spare that waits. */
const firstSpare = async (): Promise<Template> => {
  const ready = log.next();
  keeper.touch(0);
  await ready;
  if (!template) throw new Error('no template');
  return template;
};

/** One container takes the spare, by a claim that nobody answers; it is quiet again, and the next spare waits. */
const runOne = async (of: Buffer): Promise<void> => {
  const ready = log.next();
  keeper.expectSuchAs(of);
  void keeper.claim(SHIM, { namespace: 'moby', id: 'x', bundle: '/x' });
  keeper.touch(0);
  await ready;
};

test('the policy of the last container is taught once, and before the next copy is made', async () => {
  const { heard } = await firstSpare();
  const [policy, other] = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG'].map((defaultAction) => ({
    defaultAction,
  }));

  await runOne(config(policy));
  expect(heard).toEqual(['spare', { seccomp: policy }, 'spare']);

  await runOne(config(policy));
  expect(heard.slice(3)).toEqual(['spare']);

  await runOne(config(other));
  expect(heard.slice(4)).toEqual([{ seccomp: other }, 'spare']);
});

test('the spare that waits is told which container comes next; where none waits, nobody is', async () => {
  keeper.foresee(config('too early'));
  const first = await firstSpare();
  const word = first.next();

  keeper.foresee(config({ names: 'x'.repeat(64 * 1024) }));
  keeper.foresee(Buffer.alloc(16 * 1024, '\u0001'));
  keeper.foresee(config('at the right time'));
  await word;

  expect(first.heard).toEqual(['spare', { config: config('at the right time').toString() }]);
});

test.each([
  ['no policy', config()],
  ['no JSON', Buffer.from('nonsense')],
  ['more than a line may have', config({ names: 'x'.repeat(64 * 1024) })],
])('a container with %s teaches nothing', async (_, of) => {
  const { heard } = await firstSpare();

  await runOne(of);
  expect(heard).toEqual(['spare', 'spare']);
});
