/** The bounds of a terminal, over a real WebSocket and a real socket, with a program at the other end that does as told. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import type { TerminalAnswer, TerminalWord } from '../../protocol/trace/terminal.ts';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { TerminalService, type TerminalOptions } from './terminal-service.ts';

const OPEN = { type: 'open', command: 'docker exec -it mine sh', columns: 80, rows: 24 } as const;

let folder: string;
let engine: Server;
let door: Server;
let told: TraceEvent[];
let asked: string[];
/** The connections that were taken over: the program's side of each terminal. */
let programs: Socket[];
const pages: WebSocket[] = [];

const labels = (owner: string) => ({ labels: { 'engine-room.learner': owner } });

async function start(limits: TerminalOptions['limits'] = {}): Promise<number> {
  const service = new TerminalService({
    dockerSocket: join(folder, 'docker.sock'),
    engine: {
      inspect: (name) =>
        Promise.resolve(
          name === 'nobody'
            ? null
            : {
                ...labels(name === 'mine' ? 'me' : 'you'),
                state: 'running',
                pid: 1,
                exitCode: 0,
                image: '',
              },
        ),
    },
    store: { announce: () => undefined, accept: (event) => void told.push(event) },
    whyNot: () => null,
    limits,
  });
  const sockets = new WebSocketServer({ noServer: true });
  door = createServer().on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
    sockets.handleUpgrade(request, socket, head, (page) => service.add(page, { id: 'me' })),
  );
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  return (door.address() as AddressInfo).port;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lab-terminal-'));
  told = [];
  asked = [];
  programs = [];
  engine = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const isState = request.url?.endsWith('/json');
    request.resume().on('end', () => {
      response.writeHead(isState ? 200 : 201, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(isState ? { ExitCode: 7 } : { Id: 'e1' }));
    });
  }).on('upgrade', (request: IncomingMessage, socket: Socket) => {
    asked.push(`${request.method} ${request.url}`);
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    socket.on('error', () => undefined);
    programs.push(socket);
  });
  engine.listen(join(folder, 'docker.sock'));
  await once(engine, 'listening');
});

afterEach(() => {
  for (const page of pages.splice(0)) page.terminate();
  for (const program of programs) program.destroy();
  engine.close();
  engine.closeAllConnections();
  door.close();
  door.closeAllConnections();
  rmSync(folder, { recursive: true });
});

interface Opened {
  readonly page: WebSocket;
  readonly answers: TerminalAnswer[];
  readonly answer: (type: TerminalAnswer['type']) => Promise<TerminalAnswer>;
  readonly say: (word: TerminalWord) => void;
}

async function open(port: number, word: unknown = OPEN): Promise<Opened> {
  const page = new WebSocket(`ws://127.0.0.1:${port}/`);
  pages.push(page);
  const answers: TerminalAnswer[] = [];
  const waiting = new Set<() => void>();
  page.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) answers.push(JSON.parse(data.toString()) as TerminalAnswer);
    for (const look of waiting) look();
  });
  await once(page, 'open');
  const answer = (type: TerminalAnswer['type']): Promise<TerminalAnswer> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = answers.find((each) => each.type === type);
        if (!found) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  page.send(JSON.stringify(word));
  return { page, answers, answer, say: (next) => page.send(JSON.stringify(next)) };
}

describe('a terminal', () => {
  test('carries bytes both ways, follows the size, and ends with the exit code', async () => {
    const { page, answer, say } = await open(await start());
    await answer('opened');
    const [program] = programs;
    const output = once(page, 'message');
    program?.write('hello \u001b[1m');
    expect(String((await output)[0])).toBe('hello \u001b[1m');

    const typed = once(program as Socket, 'data');
    say({ type: 'input', text: 'ls\r' });
    expect(String((await typed)[0])).toBe('ls\r');
    say({ type: 'resize', columns: 120, rows: 40 });
    await expect.poll(() => asked).toContain('POST /exec/e1/resize?h=40&w=120');
    program?.end();

    expect(await answer('over')).toEqual({ type: 'over', code: 7, reason: 'exited' });
    expect(told.map(({ type }) => type)).toEqual(['spanStarted', 'spanEnded']);
  });

  test.each([
    ['docker exec -it yours sh', 'was not made from this page'],
    ['docker exec -it nobody sh', 'No such container: nobody'],
    ['docker run -it busybox sh', 'only docker exec'],
  ])('%s is refused, and the engine hears nothing of it', async (command, words) => {
    const { answer } = await open(await start(), { ...OPEN, command });

    expect(await answer('refused')).toMatchObject({
      message: expect.stringContaining(words) as string,
    });
    expect(asked).toEqual([]);
  });

  test.each([
    ['no JSON', 'x'],
    ['no size', { type: 'open', command: 'docker exec -it mine sh' }],
    ['a size that is none', { ...OPEN, columns: 1e9 }],
    ['input before it is open', { type: 'input', text: 'x' }],
  ])('%s closes the line', async (_, word) => {
    const { page } = await open(await start(), word);

    expect((await once(page, 'close'))[0]).toBe(1003);
    expect(asked).toEqual([]);
  });

  test('who types more than anybody can is cut off', async () => {
    const { answer, say } = await open(await start({ inputBytes: 1000 }));
    await answer('opened');
    for (let paste = 0; paste < 3; paste += 1) say({ type: 'input', text: 'x'.repeat(600) });

    expect(await answer('over')).toMatchObject({ reason: 'too much input' });
  });

  test('a program that never stops writing is ended', async () => {
    const { answer } = await open(await start({ outputBytes: 200_000 }));
    await answer('opened');
    programs[0]?.write(Buffer.alloc(300_000, 'y'));

    expect(await answer('over')).toMatchObject({ reason: 'too much output' });
  });

  test('nobody types: it ends by itself', async () => {
    const { answer } = await open(await start({ idleMs: 30 }));

    expect(await answer('over')).toMatchObject({ reason: 'idle' });
  });

  test('one learner has so many at once, and gets another when one is left', async () => {
    const port = await start({ terminals: 1 });
    const first = await open(port);
    await first.answer('opened');
    expect(await (await open(port)).answer('refused')).toMatchObject({
      message: expect.stringContaining('1 terminals of yours are open') as string,
    });

    first.page.close();
    await once(first.page, 'close');
    const next = async (): Promise<string> => {
      const { answers } = await open(port);
      await expect.poll(() => answers.length).toBeGreaterThan(0);
      return answers[0]?.type ?? '';
    };
    await expect.poll(next).toBe('opened');
  });

  test('a page that goes away hangs up', async () => {
    const { page, answer } = await open(await start());
    await answer('opened');
    const hungUp = once((programs[0] as Socket).resume(), 'end');
    page.terminate();

    await hungUp;
  });
});
