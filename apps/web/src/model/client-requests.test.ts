import { expect, test } from 'vitest';
import type { Message } from '@engine-room/engine/protocol/trace/event.ts';
import { requestsOf } from './client-requests.ts';

const docker = { actor: 'docker', pid: 1 } as const;
const dockerd = { actor: 'dockerd', pid: 2 } as const;

const message = (
  fields: Partial<Message> & Pick<Message, 'id' | 'spanId' | 'summary'>,
): Message => ({
  type: 'message',
  traceId: 'a'.repeat(32),
  mono: '1',
  level: 'step',
  cause: null,
  source: 'x.ts:1',
  emitter: { actor: 'dockerd', pid: 2, startTime: '1', count: 1 } as unknown as Message['emitter'],
  protocol: 'http',
  direction: 'request',
  from: docker,
  to: dockerd,
  body: null,
  raw: null,
  ...fields,
});

const head = (text: string): Message['raw'] => ({
  base64: btoa(text),
  sizeBytes: text.length,
  truncated: false,
});

test('each request of the client with its own answer', () => {
  const events = [
    message({
      id: '1',
      spanId: 'a',
      summary: 'GET /containers/json',
      raw: head(
        'GET /containers/json HTTP/1.1\r\nHost: docker\r\nuser-agent: curl/7\r\n\r\nUser-Agent: no',
      ),
    }),
    message({ id: '2', spanId: 'b', summary: 'GET /version' }),
    message({
      id: '3',
      spanId: 'b',
      summary: '200 OK',
      direction: 'response',
      from: dockerd,
      to: docker,
    }),
    message({ id: '4', spanId: 'c', summary: 'Tasks/Create', protocol: 'grpc', from: dockerd }),
  ];
  expect(requestsOf(events)).toEqual([
    { id: '1', request: 'GET /containers/json', userAgent: 'curl/7', answer: null },
    { id: '2', request: 'GET /version', userAgent: null, answer: '200 OK' },
  ]);
});
