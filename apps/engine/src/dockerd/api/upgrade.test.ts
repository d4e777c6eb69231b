/** Connections that become streams (attach, exec), and the bodies of the requests that ask for it. */
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EngineError } from '../../protocol/errdefs.ts';
import { ApiUnderTest } from './testing/api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await ApiUnderTest.start();
});
afterEach(() => api.close());

test.each([
  ['1.41', false, 'raw-stream'],
  ['1.42', false, 'multiplexed-stream'],
  ['1.50', true, 'raw-stream'],
])(
  'attach in API %s (terminal: %s) answers 101 UPGRADED and a %s',
  async (version, isTerminal, type) => {
    api.backend.attach = async (_name, _options, accept) => {
      const stream = accept({ isTerminal });
      for await (const chunk of stream) stream.write(chunk as Buffer);
      stream.end();
    };
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect({ path: api.path, allowHalfOpen: true }, () =>
        // The beginning of the stream travels with the request.
        socket.end(
          `POST /v${version}/containers/x/attach?stdin=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\nhello`,
        ),
      );
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
    });

    expect(answer).toMatch(/^HTTP\/1\.1 101 UPGRADED\r\n/);
    expect(answer).toContain(`application/vnd.docker.${type}\r\n`);
    expect(answer.split('\r\n\r\n')[1]).toBe('hello');
  },
);

test('an attach that is refused gets a status and one line, as Docker writes it', async () => {
  api.backend.attach = () => Promise.reject(new EngineError('not_found', 'No such container: x'));

  const answer = await api.raw(
    'POST /containers/x/attach HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
  );

  expect(answer).toContain('404 Not Found');
  expect(answer).toContain('Content-Type: application/vnd.docker.raw-stream');
  expect(answer).toContain('No such container: x\r\n');
  expect(answer).not.toContain('"message"');
});

test.each([
  ['with its head', (body: string) => [`${body}stream`]],
  ['after its head, in pieces', (body: string) => ['', body.slice(0, 5), `${body.slice(5)}stream`]],
])('the body of an upgrade request may come %s', async (_, inPieces) => {
  const seen: unknown[] = [];
  api.backend.startExec = async (id, { isDetached, accept }) => {
    seen.push(id, isDetached);
    const stream = accept();
    stream.once('data', (bytes: Buffer) => stream.end(`got ${bytes.toString()}`));
    await Promise.resolve();
  };
  const body = '{"Detach":false}';
  const head = `POST /exec/e1/start HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`;
  const [first = '', ...rest] = inPieces(body);
  let answer = '';
  const socket = connect(api.path, () => socket.write(head + first));
  const closed = new Promise((resolve) => {
    socket.on('close', resolve);
  });
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  await new Promise((resolve) => {
    api.server.once('upgrade', resolve);
  });
  for (const piece of rest) socket.write(piece);
  await closed;

  expect(seen).toEqual(['e1', false]);
  expect(answer).toContain('101 UPGRADED');
  expect(answer).toContain('got stream');
});

// The second is more than a number of JavaScript can tell exactly.
test.each(['999999999', '9999999999999999999'])(
  'a body of %s bytes is too large',
  async (length) => {
    const answer = await api.raw(
      `POST /exec/e1/start HTTP/1.1\r\nHost: d\r\nContent-Length: ${length}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
    );

    expect(answer).toContain('400 Bad Request');
    expect(answer).toContain('request body too large');
  },
);

const PARSES_UPGRADES = Number(process.versions.node.split('.')[0]) >= 26;

test('a client that goes before its body is whole is forgotten', async () => {
  const socket = connect(api.path, () =>
    socket.end(
      'POST /exec/e1/start HTTP/1.1\r\nHost: d\r\nContent-Length: 9\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n{',
    ),
  );
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  await new Promise((resolve) => {
    socket.on('close', resolve);
  });

  // Node hangs up by itself since version 26.
  if (answer === '' && PARSES_UPGRADES) return;
  expect(answer).toContain('400 Bad Request');
  expect(answer).toContain('unexpected EOF');
});
