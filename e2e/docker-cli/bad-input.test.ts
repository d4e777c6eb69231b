/** Rubbish on the socket: each gets the status code and the words that Docker gives, and the next request works. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { docker, engine, isReal } from './support/suite.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function ask(
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request(
      { socketPath: engine.socket, method, path, headers: { host: 'docker', ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers['content-type'] ?? '',
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    asking.on('error', reject);
    asking.end(body);
  });
}

/** Debian's dockerd 20.10 calls a body that it cannot read its own fault; later ones say 400, and so do we. */
const UNREADABLE_BODY = isReal ? 500 : 400;

const json = { 'content-type': 'application/json' };
const messageOf = ({ body }: Answer) => (JSON.parse(body) as { message: string }).message;

/** What the engine says to bytes that are no request; the connection must be closed by the engine. */
async function rawAnswer(bytes: string): Promise<string> {
  const socket = connect(engine.socket);
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString();
  });
  // An engine that has heard enough closes before it has read everything.
  socket.on('error', () => {});
  socket.write(bytes);
  await new Promise((resolve) => {
    socket.on('close', resolve);
  });
  return answer;
}

afterEach(async () => {
  expect((await docker(['run', '--rm', 'busybox', 'echo', 'still works'])).stdout).toBe(
    'still works\n',
  );
});

test('bytes that are no HTTP are answered with 400', async () => {
  expect(await rawAnswer('GARBAGE \x00\x01\x02\r\n\r\n')).toMatch(/^HTTP\/1\.[01] 400 /);
});

test('a header without end is cut off, with or without an answer', async () => {
  expect(
    await rawAnswer(
      `GET /_ping HTTP/1.1\r\nHost: docker\r\nX-Long: ${'x'.repeat(2 << 20)}\r\n\r\n`,
    ),
  ).toMatch(/^(HTTP\/1\.[01] (431|400) |$)/);
});

test('an unknown page is 404', async () => {
  const answer = await ask('GET', '/v1.41/no/such/page');

  expect(answer.status).toBe(404);
  expect(messageOf(answer)).toBe('page not found');
});

test('an API version that is too new or too old is 400', async () => {
  const future = await ask('GET', '/v9.99/containers/json');

  expect(future.status).toBe(400);
  expect(messageOf(future)).toMatch(
    /client version 9\.99 is too new\. Maximum supported API version is \d+\.\d+/,
  );
});

test('a body that is no JSON is 400', async () => {
  const answer = await ask('POST', '/v1.41/containers/create', '{"Image": ', json);

  expect(answer.status).toBe(UNREADABLE_BODY);
  expect(messageOf(answer)).not.toBe('');
});

test('a body of another type is refused', async () => {
  const answer = await ask('POST', '/v1.41/containers/create', 'Image=busybox', {
    'content-type': 'text/plain',
  });

  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(messageOf(answer)).toMatch(/Content-Type|content type/i);
});

test('fields of the wrong type are 400', async () => {
  const answer = await ask(
    'POST',
    '/v1.41/containers/create',
    '{"Image": "busybox", "Cmd": {"a": 1}}',
    json,
  );

  expect(answer.status).toBe(UNREADABLE_BODY);
});

test('an unknown image is 404 with the words that make the client pull, whatever else is wrong', async () => {
  const answer = await ask(
    'POST',
    '/v1.41/containers/create',
    '{"Image": "no-such-image-anywhere"}',
    json,
  );

  expect(answer.status).toBe(404);
  expect(messageOf(answer)).toMatch(/^No such image: no-such-image-anywhere/);
});

test('an unknown container is 404 everywhere', async () => {
  for (const [method, path] of [
    ['GET', 'json'],
    ['GET', 'logs?stdout=1'],
    ['POST', 'start'],
    ['POST', 'stop'],
    ['POST', 'kill'],
    ['POST', 'wait'],
    ['POST', 'attach?stream=1&stdout=1'],
  ] as const) {
    const answer = await ask(method, `/v1.41/containers/nobody/${path}`);

    expect(answer.status, path).toBe(404);
    // Attach speaks raw bytes, also when it refuses; the others say it in JSON.
    expect(answer.body, path).toContain('No such container: nobody');
  }
});

test('an id that tries to leave its folder finds nothing', async () => {
  for (const id of ['..%2F..%2Fetc', '%2e%2e', 'a%00b', 'x'.repeat(5000)]) {
    const { status } = await ask('GET', `/v1.41/containers/${id}/json`);

    // Go's router redirects to the cleaned path.
    expect([301, 400, 404], id.slice(0, 20)).toContain(status);
  }
});

test('a client that goes away in the middle of a request harms nobody', async () => {
  const socket = connect(engine.socket);
  socket.write(
    'POST /v1.41/containers/create HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"Image"',
  );
  await once(socket, 'connect');
  socket.destroy();
  await once(socket, 'close');

  expect((await ask('GET', '/_ping')).body).toBe('OK');
});
