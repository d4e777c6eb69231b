/**
 * Requests that no honest client sends, to every route: wrong types, strange names, huge bodies, broken chunks, garbage
 * behind an upgrade. The answer is a sentence, never a mistake of ours; afterwards the daemon is the same process, holds
 * nothing that it did not hold before, and works. The numbers come from a seed, so that each run is the same.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/engine.ts';
import { footprint, openDescriptors } from './support/leaks.ts';
import { docker, engine } from './support/suite.ts';

const BOX = `fuzz-${process.pid}`;
const API = join(import.meta.dirname, '../../apps/engine/src/dockerd/api/README.md');
/** These ask the internet, or take away what other tests need. */
const LEFT_ALONE = /^(POST|DELETE) \/images\/|^POST \/build/;
const ROUTES = [...readFileSync(API, 'utf8').matchAll(/^\| ([A-Z]+) +\| (\S+) /gm)]
  .map(([, method = '', path = '']) => ({ method, path }))
  .filter(({ method, path }) => !LEFT_ALONE.test(`${method} ${path}`));

/** Park and Miller's generator. */
let seed = 20_260_102;
const random = (below: number): number => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % below;
};
const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;

const NAMES = [
  BOX,
  'nosuch',
  '%00',
  '..%2f..%2fetc',
  'x'.repeat(3000),
  '%e2%82%ac',
  '-',
  '%20',
  '%',
];
const VALUES = [
  '1',
  '-1',
  '0',
  'x',
  '99999999999999999999',
  '%00',
  '{}',
  '[]',
  '{"a":1}',
  '1e400',
  '',
];
const KEYS = [
  't',
  'h',
  'w',
  'signal',
  'name',
  'path',
  'filters',
  'since',
  'until',
  'tail',
  'limit',
  'size',
  'all',
  'stream',
  'stdout',
  'stderr',
  'condition',
  'ps_args',
  'type',
  'v',
  'force',
  'link',
];
const FIELDS = [
  'Image',
  'Cmd',
  'Env',
  'HostConfig',
  'Detach',
  'Tty',
  'Memory',
  'Name',
  'Labels',
  'RestartPolicy',
  'Healthcheck',
  'NetworkingConfig',
  'Binds',
  'Mounts',
  'ConsoleSize',
  'User',
];

const anything = (depth = 0): unknown => {
  const simple = [null, true, -1, 1e308, '', 'busybox', '\0', 'x'.repeat(500), '../..', []];
  const kind = random(depth > 3 ? 10 : 14);
  if (kind < 10) return simple[kind];
  if (kind < 12) return Array.from({ length: random(4) }, () => anything(depth + 1));
  return Object.fromEntries(
    Array.from({ length: random(6) }, () => [pick(FIELDS), anything(depth + 1)]),
  );
};

const body = (): string => {
  const kind = random(6);
  if (kind === 0) return '';
  if (kind === 1) return '{"Image":';
  if (kind === 2) return '['.repeat(20_000);
  return JSON.stringify(kind === 3 ? { Image: 'busybox', HostConfig: anything() } : anything());
};

/** Sends bytes, and answers what came back; some answers never end, and some never begin. */
const exchange = (text: string, { firstMs = 1500, thenMs = 100 } = {}): Promise<string> =>
  new Promise((resolve) => {
    let answer = '';
    const socket = connect(engine.socket, () => socket.write(text));
    let timer = setTimeout(() => socket.destroy(), firstMs);
    socket.on('data', (chunk) => {
      if (answer === '') {
        clearTimeout(timer);
        timer = setTimeout(() => socket.destroy(), thenMs);
      }
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
  });

const request = (method: string, path: string, content: string, more = ''): string =>
  `${method} ${path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Type: application/json\r\n${more}Content-Length: ${Buffer.byteLength(content)}\r\n\r\n${content}`;

const ROUNDS = 8;
const MISTAKE =
  /TypeError|RangeError|Cannot read|is not a function|is not iterable|of undefined|\.ts:\d|\/proc\/self/;

const dockerdPid = (): number =>
  Number(readFileSync(join(engine.root, 'exec', 'dockerd.pid'), 'utf8'));

/** What was made, renamed or removed by accident is put in order. */
async function tidy(): Promise<void> {
  const ids = (await docker.ok(['ps', '-aq', '--no-trunc'])).split('\n').filter(Boolean);
  if (ids.length > 0) await docker(['rm', '-fv', ...ids]);
}

beforeEach(async () => {
  await docker.ok(['run', '-d', '--name', BOX, 'busybox', 'sleep', '1000']);
});
afterEach(tidy);

test('every route answers nonsense with a sentence', { timeout: 120_000 }, async () => {
  const pid = dockerdPid();
  const mistakes: string[] = [];
  let answered = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      ROUTES.map(async ({ method, path }) => {
        const where = path.replace('{name}', pick(NAMES));
        const query = Array.from({ length: random(4) }, () => `${pick(KEYS)}=${pick(VALUES)}`);
        const url = `/v1.44${where}?${query.join('&')}`;
        const answer = await exchange(request(method, url, body()));
        if (answer !== '') answered += 1;
        const [head = '', said = ''] = answer.split('\r\n\r\n');
        const status = Number(head.slice(9, 12));
        // An archive may hold any words.
        const isArchive = /^content-type: application\/(x-tar|octet-stream)/im.test(head);
        if (answer !== '' && (status < 100 || (!isArchive && MISTAKE.test(said)))) {
          mistakes.push(
            `${method} ${url.slice(0, 200)}: ${head.slice(0, 40)} ${said.slice(0, 300)}`,
          );
        }
      }),
    );
  }
  await tidy();

  expect(mistakes).toEqual([]);
  expect(answered).toBeGreaterThan(ROUNDS * ROUTES.length * 0.75);
  expect(dockerdPid()).toBe(pid);
  expect(await docker(['run', '--rm', 'busybox', 'echo', 'alive'])).toMatchObject({
    code: 0,
    stdout: 'alive\n',
  });
});

test(
  'broken framing, and garbage behind an upgrade, hold nothing',
  { timeout: 120_000 },
  async () => {
    const pid = dockerdPid();
    // What is opened once and kept is opened now.
    await docker.ok(['exec', BOX, 'true']);
    const before = { ...footprint(engine), descriptors: openDescriptors(pid) };
    const upgrade = 'Upgrade: tcp\r\nConnection: Upgrade\r\n';
    const chunked = `POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const garbage = Array.from({ length: 4000 }, () => String.fromCharCode(random(256))).join('');
    const exec = async (): Promise<string> => {
      const made = await exchange(
        request(
          'POST',
          `/containers/${BOX}/exec`,
          '{"Cmd":["cat"],"AttachStdin":true,"AttachStdout":true}',
        ),
      );
      return /"Id":"([0-9a-f]+)"/.exec(made)?.[1] ?? '';
    };
    const start = '{"Detach":false,"Tty":false}';

    for (let round = 0; round < 5; round++) {
      await Promise.all([
        exchange(`${chunked}zz\r\n${garbage}`),
        exchange(`${chunked}ffffffffffffffff\r\n{`),
        exchange(`${chunked}5\r\n{"Ima`),
        exchange(
          `POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 99999999\r\n\r\n{`,
        ),
        exchange(`GET /containers/json HTTP/1.1\r\n${'A: b\r\n'.repeat(5000)}\r\n`),
        exchange(
          `PUT /containers/${BOX}/archive?path=/tmp HTTP/1.1\r\nHost: d\r\nContent-Length: 4000\r\n\r\n${garbage}`,
        ),
        exchange(
          request('POST', `/containers/${BOX}/attach?stream=1&stdin=1&stdout=1`, '', upgrade) +
            garbage,
        ),
        exchange(request('POST', `/exec/${await exec()}/start`, start, upgrade) + garbage, {
          thenMs: 400,
        }),
        exchange(request('GET', `/containers/${BOX}/logs?follow=1&stdout=1`, '')),
        exchange(request('GET', `/containers/${BOX}/stats`, '')),
        exchange(request('GET', `/containers/${BOX}/export`, ''), { thenMs: 5 }),
      ]);
    }
    await tidy();

    expect(dockerdPid()).toBe(pid);
    await eventually('what it held is given back', () => {
      const now = footprint(engine);
      return (
        openDescriptors(pid) <= before.descriptors + 2 &&
        now.mounts.length <= before.mounts.length &&
        now.processes.length <= before.processes.length
      );
    });
  },
);
