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
      else this.#hear('spare');
    }).listen(claimSocket);
  }

  /** Resolves when so much was heard. */
  async until(count: number): Promise<readonly unknown[]> {
    while (this.heard.length < count) await new Promise<void>((wake) => (this.#wake = wake));
    return this.heard;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #learn(line: Socket): Promise<void> {
    const lines = new JsonLines(line);
    for (;;) {
      const lesson = await lines.next(10_000).catch(() => undefined);
      if (!lesson) return;
      this.#hear(lesson);
      line.write('{}\n');
    }
  }

  #hear(what: unknown): void {
    this.heard.push(what);
    this.#wake();
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spare-'));
  keeper = new SpareKeeper({
    folder,
    shimPath: () => Promise.resolve(SHIM),
    surroundings: { address: '/a', ttrpcAddress: '/b', publishBinary: '', isDebug: false },
    spawnDetached: ({ argv }) => {
      template = new Template(argv.at(-1) ?? '');
      return 1;
    },
    log: new Log('error'),
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
/** One container: it takes the spare, and then it is quiet again. The claim is answered by nobody. */
const runOne = (of: Buffer): void => {
  keeper.expectSuchAs(of);
  void keeper.claim(SHIM, { namespace: 'moby', id: 'x', bundle: '/x' });
  keeper.touch(0);
};

const firstSpare = async (): Promise<Template> => {
  keeper.touch(0);
  while (!template) await new Promise(setImmediate);
  await template.until(1);
  return template;
};

test('the policy of the last container is taught once, and before the next copy is made', async () => {
  const policy = { defaultAction: 'SCMP_ACT_ALLOW' };
  const template = await firstSpare();

  runOne(config(policy));
  expect(await template.until(3)).toEqual(['spare', { seccomp: policy }, 'spare']);

  runOne(config(policy));
  expect((await template.until(4)).slice(3)).toEqual(['spare']);

  runOne(config({ defaultAction: 'SCMP_ACT_LOG' }));
  expect((await template.until(6)).slice(4)).toEqual([
    { seccomp: { defaultAction: 'SCMP_ACT_LOG' } },
    'spare',
  ]);
});

test.each([
  ['no policy', config()],
  ['no JSON', Buffer.from('nonsense')],
  ['more than a line may have', config({ names: 'x'.repeat(64 * 1024) })],
])('a container with %s teaches nothing', async (_, of) => {
  const template = await firstSpare();

  runOne(of);
  expect(await template.until(2)).toEqual(['spare', 'spare']);
});
