/**
 * Every route's answer against moby's own description of the API, which is fetched and never kept here:
 * `MOBY_SWAGGER=/path/to/v1.50.yaml npx vitest run --project swagger`. `DOCKER_CLI_PEER=real` asks Debian's dockerd.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { request } from 'node:http';
import { startRealEngine } from '../docker-cli/support/real-engine.ts';
import { dockerFor } from '../support/docker.ts';
import type { Engine } from '../support/engine.ts';
import { startOurEngine } from '../support/our-engine.ts';
import { Checker, operationsOf, readSwagger } from './swagger-schema.ts';

const path = process.env['MOBY_SWAGGER'];
if (path === undefined) throw new Error('MOBY_SWAGGER=/path/to/moby/api/docs/v1.50.yaml is needed');
const swagger = readSwagger(path);
const checker = new Checker(swagger);
/** Not the business of this engine: swarm, plugins, builds. */
const ELSEWHERE = /^\w+ \/(swarm|nodes|services|tasks|secrets|configs|plugins|build|session)/;

/** Where ours and the document differ, and why; what is not here fails, and so does what is here in vain. */
const EXPLAINED: Readonly<Record<string, string>> = {
  'GET /exec/{id}/json 200: .ExitCode is null and not integer':
    'so it is in Docker, before the exit',
  'POST /networks/create: the status 409 is not in the document': 'so it is in Docker',
  'GET /images/search: the status 501 is not in the document': 'there is no search',
};

let engine: Engine;
beforeAll(async () => {
  engine = await (process.env['DOCKER_CLI_PEER'] === 'real' ? startRealEngine() : startOurEngine());
}, 180_000);
afterAll(async () => {
  await engine.stop();
}, 120_000);

interface Ask {
  /** As in the document. */
  readonly operation: string;
  /** What stands for `{id}` and `{name}`, and the query. */
  readonly of?: string;
  readonly query?: string;
  readonly body?: unknown;
}

const ask = ({ operation, of = '', query = '', body }: Ask) =>
  new Promise<{ status: number; value: unknown }>((resolve, reject) => {
    const [method = '', template = ''] = operation.split(' ');
    const bytes = body === undefined ? undefined : JSON.stringify(body);
    const sent = request({
      socketPath: engine.socket,
      method,
      path: `/v${swagger.info.version}${template.replace(/\{\w+\}/, of)}${query}`,
      agent: false,
      headers: bytes === undefined ? {} : { 'Content-Type': 'application/json' },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = response.headers['content-type']?.includes('json') ?? false;
        // A stream of lines is what each line is.
        const [first = ''] = text.split('\n');
        resolve({
          status: response.statusCode ?? 0,
          value: isJson && text !== '' ? JSON.parse(isStream(operation) ? first : text) : undefined,
        });
      });
    });
    sent.end(bytes);
  });

const isStream = (operation: string): boolean =>
  ['GET /events', 'POST /images/create', 'POST /images/{name}/push'].includes(operation);

test('the answers are those of the document', { timeout: 180_000 }, async () => {
  const docker = dockerFor(engine);
  await docker.ok(['network', 'create', 'net']);
  await docker.ok(['volume', 'create', 'vol']);
  await docker.ok(
    'run -d --name box --network net -v vol:/v -p 127.0.0.1::80 --health-cmd true --memory 64m -t'
      .split(' ')
      .concat('busybox', 'sleep', '1000'),
  );
  await docker(['run', '--name', 'done', 'busybox', 'sh', '-c', 'echo x >/made; exit 3']);
  const now = Math.ceil(Date.now() / 1000);
  const filters = (text: string): string => `filters=${encodeURIComponent(text)}`;
  const created = await ask({
    operation: 'POST /containers/{id}/exec',
    of: 'box',
    body: { Cmd: ['true'], AttachStdout: true },
  });
  const exec = String((created.value as { Id?: unknown }).Id);
  const box = { of: 'box' };

  const asks: readonly Ask[] = [
    { operation: 'GET /_ping' },
    { operation: 'HEAD /_ping' },
    { operation: 'GET /info' },
    { operation: 'GET /version' },
    { operation: 'GET /system/df' },
    { operation: 'GET /events', query: `?since=1&until=${now}` },
    {
      operation: 'POST /auth',
      body: { username: 'u', password: 'p', serveraddress: 'localhost:1' },
    },
    { operation: 'GET /containers/json', query: '?all=1&size=1' },
    { operation: 'GET /containers/json', query: `?${filters('{"nosuch":["1"]}')}` },
    { operation: 'POST /containers/create', query: '?name=new', body: { Image: 'busybox' } },
    { operation: 'POST /containers/create', query: '?name=new', body: { Image: 'busybox' } },
    { operation: 'POST /containers/create', body: { Image: 'nosuch' } },
    { operation: 'POST /containers/create', body: { Image: 'busybox', Env: ['=x'] } },
    { operation: 'GET /containers/{id}/json', ...box, query: '?size=1' },
    { operation: 'GET /containers/{id}/json', of: 'done' },
    { operation: 'GET /containers/{id}/json', of: 'nosuch' },
    { operation: 'GET /containers/{id}/top', ...box },
    { operation: 'GET /containers/{id}/logs', of: 'done', query: '?stdout=1' },
    { operation: 'GET /containers/{id}/changes', of: 'done' },
    { operation: 'GET /containers/{id}/export', of: 'done' },
    { operation: 'GET /containers/{id}/stats', ...box, query: '?stream=0' },
    { operation: 'GET /containers/{id}/stats', of: 'done', query: '?stream=0' },
    { operation: 'POST /containers/{id}/resize', ...box, query: '?h=10&w=20' },
    { operation: 'POST /containers/{id}/attach', of: 'done', query: '?logs=1&stdout=1' },
    { operation: 'GET /containers/{id}/attach/ws', of: 'nosuch' },
    { operation: 'POST /containers/{id}/exec', of: 'done', body: { Cmd: ['true'] } },
    { operation: 'GET /exec/{id}/json', of: exec },
    { operation: 'POST /exec/{id}/start', of: exec, body: { Detach: true } },
    { operation: 'POST /exec/{id}/resize', of: 'nosuch', query: '?h=1&w=1' },
    { operation: 'POST /containers/{id}/update', ...box, body: { CpuShares: 512 } },
    { operation: 'POST /containers/{id}/pause', ...box },
    { operation: 'POST /containers/{id}/unpause', ...box },
    { operation: 'HEAD /containers/{id}/archive', of: 'done', query: '?path=/made' },
    { operation: 'GET /containers/{id}/archive', of: 'done', query: '?path=/made' },
    { operation: 'GET /containers/{id}/archive', of: 'done', query: '?path=/nosuch' },
    { operation: 'PUT /containers/{id}/archive', of: 'nosuch', query: '?path=/' },
    { operation: 'POST /containers/{id}/wait', of: 'done' },
    { operation: 'POST /containers/{id}/restart', ...box, query: '?t=0' },
    { operation: 'POST /containers/{id}/kill', of: 'done' },
    { operation: 'POST /containers/{id}/start', of: 'new' },
    { operation: 'POST /containers/{id}/start', ...box },
    { operation: 'POST /containers/{id}/rename', of: 'new', query: '?name=renamed' },
    { operation: 'POST /containers/{id}/rename', of: 'renamed', query: '?name=box' },
    { operation: 'GET /images/json', query: '?all=1' },
    { operation: 'GET /images/{name}/json', of: 'busybox' },
    { operation: 'GET /images/{name}/json', of: 'nosuch' },
    { operation: 'GET /images/{name}/history', of: 'busybox' },
    { operation: 'GET /images/{name}/get', of: 'busybox' },
    { operation: 'GET /images/get', query: '?names=busybox' },
    { operation: 'POST /images/{name}/tag', of: 'busybox', query: '?repo=127.0.0.1:1/b&tag=1' },
    { operation: 'POST /images/{name}/push', of: '127.0.0.1:1/b', query: '?tag=1' },
    { operation: 'POST /images/create', query: '?fromImage=127.0.0.1:1/nosuch&tag=1' },
    { operation: 'POST /commit', query: '?container=done&repo=committed' },
    { operation: 'DELETE /images/{name}', of: 'committed' },
    { operation: 'DELETE /images/{name}', of: 'nosuch' },
    { operation: 'POST /images/load' },
    // Nobody listens there.
    { operation: 'GET /distribution/{name}/json', of: 'localhost:1/x' },
    { operation: 'POST /images/prune', query: `?${filters('{"until":["1"]}')}` },
    { operation: 'GET /networks' },
    { operation: 'GET /networks/{id}', of: 'net' },
    { operation: 'POST /networks/create', body: { Name: 'two' } },
    { operation: 'POST /networks/create', body: { Name: 'two' } },
    { operation: 'POST /networks/{id}/connect', of: 'two', body: { Container: 'box' } },
    { operation: 'POST /networks/{id}/disconnect', of: 'two', body: { Container: 'box' } },
    { operation: 'DELETE /networks/{id}', of: 'net' },
    { operation: 'DELETE /networks/{id}', of: 'two' },
    { operation: 'POST /networks/prune', query: `?${filters('{"until":["1"]}')}` },
    { operation: 'GET /volumes' },
    { operation: 'GET /volumes/{name}', of: 'vol' },
    { operation: 'POST /volumes/create', body: { Name: 'second', Labels: { a: 'b' } } },
    { operation: 'DELETE /volumes/{name}', of: 'vol' },
    { operation: 'DELETE /volumes/{name}', of: 'second' },
    { operation: 'POST /volumes/prune' },
    { operation: 'POST /containers/{id}/stop', ...box, query: '?t=0' },
    { operation: 'DELETE /containers/{id}', ...box },
    { operation: 'DELETE /containers/{id}', of: 'nosuch' },
    { operation: 'POST /containers/prune' },
    { operation: 'GET /images/search', query: '?term=busybox' },
  ];
  const faults = checker.answer('POST /containers/{id}/exec', created.status, created.value);
  for (const each of asks) {
    const { status, value } = await ask(each);
    faults.push(...checker.answer(each.operation, status, value));
  }
  const asked = new Set(['POST /containers/{id}/exec', ...asks.map(({ operation }) => operation)]);
  const known = operationsOf(swagger).filter((operation) => !ELSEWHERE.test(operation));
  process.stdout.write(
    `API ${swagger.info.version}: ${asks.length + 1} answers of ${asked.size} of ${known.length} operations, ${faults.length} faults\n` +
      `not asked: ${known.filter((operation) => !asked.has(operation)).join(', ') || 'none'}\n${faults.join('\n')}\n`,
  );
  const isOurs = process.env['DOCKER_CLI_PEER'] !== 'real';
  expect(faults.toSorted()).toEqual(isOurs ? Object.keys(EXPLAINED).toSorted() : []);
});
