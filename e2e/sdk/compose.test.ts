/**
 * Debian's docker-compose 1.29 (python3-docker below it) brings a web server and a database up and down: on a real
 * dockerd and on ours, with the same answers.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dockerFor, type Docker } from '../support/docker.ts';
import type { Engine } from '../support/engine.ts';
import { bothEngines } from './support/engines.ts';
import { importRedis } from './support/redis-image.ts';

const NGINX = join(import.meta.dirname, '../../apps/engine/dist/images/nginx.tar');
const peers = bothEngines();

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Compose = (line: string, env?: Readonly<Record<string, string>>) => Promise<Answer>;

const composeFor =
  ({ socket, root }: Engine): Compose =>
  (line, env = {}) =>
    new Promise((resolve) => {
      const words = line.match(/'[^']*'|\S+/g) ?? [];
      execFile(
        '/usr/bin/docker-compose',
        [
          ...['--project-name', 'shop', '--file', join(import.meta.dirname, 'compose.yaml')],
          ...words.map((word) => word.replaceAll("'", '')),
        ],
        {
          // Whatever does not come back is an answer too.
          timeout: 60_000,
          env: {
            PATH: process.env['PATH'],
            HOME: root,
            DOCKER_HOST: `unix://${socket}`,
            // By itself it speaks the engine's newest version; from 1.45 on no image has the ContainerConfig it needs.
            COMPOSE_API_VERSION: '1.41',
            ...env,
          },
        },
        (error, stdout, stderr) =>
          resolve({ code: Number(error?.code ?? 0), stdout, stderr: stderr.trim() }),
      );
    });

/** Ids, ports and times are another each time, and services that need not wait for each other come in any order. */
const normalized = (text: string): string =>
  text
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'ID')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replaceAll(/ +/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^-+$/.test(line))
    .sort()
    .join('\n');

const ask = (port: string) => `exec -T web sh -c 'printf "${port}\\r\\nQUIT\\r\\n" | nc db 6379'`;

/** How often it is not up yet is nobody's answer. */
const UNTIL_UP = "exec -T db sh -c 'until redis-cli ping >/dev/null 2>&1; do :; done'";

/** One story, told to each engine; what each said is compared at the end. */
const STORY: readonly (readonly [line: string, env?: Readonly<Record<string, string>>])[] = [
  ['config --services'],
  ['up -d'],
  ['ps'],
  ['up -d'],
  [ask('PING')],
  [ask('SET kept yes')],
  ['exec -T web busybox wget -qO- http://www/'],
  ["exec -T web sh -c 'echo $COLOUR; grep -c scratch /proc/mounts'"],
  ['exec -T db cat /data/nosuch'],
  ['port web 80'],
  ['top db'],
  ['pause db'],
  ['ps db'],
  ['unpause db'],
  ['stop -t 10 db'],
  ['ps db'],
  ['start db'],
  [UNTIL_UP],
  [ask('GET kept')],
  ['up -d', { COLOUR: 'green' }],
  ["exec -T web sh -c 'echo $COLOUR'", { COLOUR: 'green' }],
  ['up -d --scale web=2', { COLOUR: 'green' }],
  ['ps web'],
  ['restart -t 1 web'],
  ['kill -s TERM db'],
  ['logs --no-color --no-log-prefix db'],
  ['images'],
  // Beside running ones of its service it is linked to them.
  ['run --rm --no-deps web busybox echo once'],
  ['rm -fs web'],
  ['ps -a'],
  ['down'],
  ['up -d db'],
  [UNTIL_UP],
  ['exec -T db redis-cli get kept'],
  ['down -v --remove-orphans'],
  ['ps -a'],
];

/** What the page of a story is not about: when redis did what, and pids. */
const isComparable = (line: string): boolean => !/^(logs|top|images)/.test(line);

const left = async (docker: Docker): Promise<string> =>
  [
    await docker.ok(['ps', '-aq']),
    await docker.ok(['volume', 'ls', '-q']),
    await docker.ok(['network', 'ls', '--filter', 'type=custom', '-q']),
  ].join('');

/** What each line of the story is answered with. */
async function tell(engine: Engine): Promise<readonly string[]> {
  importRedis(engine);
  const docker = dockerFor(engine);
  await docker.ok(['load'], { input: readFileSync(NGINX) });
  const compose = composeFor(engine);
  const answers: string[] = [];
  for (const [line, env] of STORY) {
    const { code, stdout, stderr } = await compose(line, env);
    const said = isComparable(line) ? normalized(`${stdout}\n${stderr}`) : '';
    answers.push([`$ ${line}`, `exit ${code}`, said].join('\n'));
  }
  expect(await left(docker), engine.kind).toBe('');
  return answers;
}

test('a web server and a database, up and down', { timeout: 240_000 }, async () => {
  // Most of the time passes in docker-compose itself.
  const [real = [], ours = []] = await Promise.all(peers.map(({ engine }) => tell(engine)));
  expect(ours).toEqual(real);
  const answerOf = (line: string): string | undefined =>
    ours[STORY.findIndex(([each]) => each === line)];
  expect(answerOf(ask('GET kept'))).toContain('yes');
  expect(answerOf('exec -T db redis-cli get kept')).toContain('yes');
  expect(answerOf('exec -T web busybox wget -qO- http://www/')).toContain('<html');
});
