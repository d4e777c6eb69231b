/** The Docker Engine API: any method, path, query, header and body, and bytes that are no HTTP at all. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Backend } from '../../apps/engine/src/dockerd/api/backend.ts';
import { parseBody } from '../../apps/engine/src/dockerd/api/body.ts';
import { Query } from '../../apps/engine/src/dockerd/api/query.ts';
import { ROUTES } from '../../apps/engine/src/dockerd/api/router.ts';
import { createApiServer } from '../../apps/engine/src/dockerd/api/server.ts';
import { parseReference } from '../../apps/engine/src/dockerd/images/reference.ts';
import { ContainerCreateBody } from '../../apps/engine/src/protocol/docker-engine-api/containers.ts';
import { ExecCreateBody } from '../../apps/engine/src/protocol/docker-engine-api/exec.ts';
import { VolumeCreateBody } from '../../apps/engine/src/protocol/docker-engine-api/volumes.ts';
import { EngineError } from '../../apps/engine/src/protocol/errdefs.ts';
import { Tracer } from '../../apps/engine/src/tracing/tracer.ts';
import {
  ClientProcesses,
  DOCKER_CLIENTS,
} from '../../apps/engine/src/transport/client-processes.ts';
import { listenOnSocket } from '../../apps/engine/src/transport/unix-socket.ts';
import { cuts, mutatedBytes, mutatedJson } from './mutate.ts';
import { sendAndLeave } from './servers.ts';
import { target, type Target } from './target.ts';

const CREATE = {
  Image: 'busybox',
  Cmd: ['echo', 'hi'],
  Entrypoint: null,
  Env: ['A=b'],
  Labels: { a: 'b' },
  Volumes: { '/data': {} },
  HostConfig: {
    Binds: ['v:/data:ro'],
    Memory: 67108864,
    NanoCpus: 1e9,
    PidsLimit: 10,
    NetworkMode: 'none',
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 10 }],
    Mounts: [{ Type: 'volume', Source: 'v', Target: '/x' }],
    LogConfig: { Type: 'json-file', Config: {} },
    ConsoleSize: [24, 80],
  },
  NetworkingConfig: { EndpointsConfig: { none: {} } },
};

/** Every verb of the daemon says that there is no such thing, so only the HTTP face is tried. */
const nobody = new Proxy(
  { engineVersion: '0', origin: () => null, execOrigin: () => null },
  {
    get: (known, name) =>
      Reflect.has(known, name)
        ? (Reflect.get(known, name) as unknown)
        : () => {
            throw new EngineError('not_found', 'nobody is here');
          },
  },
) as unknown as Backend;

const openServer = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-api-'));
  const path = join(folder, 'docker.sock');
  const exporter = {
    export: () => undefined,
    flush: () => Promise.resolve(),
    close: () => undefined,
  };
  const tracer = new Tracer('dockerd', exporter);
  const calls = {
    peerCredentials: () => ({ pid: process.pid, uid: 0, gid: 0 }),
    pidfdOpen: () => -1,
    watchReadable: () => () => undefined,
    close: () => undefined,
  };
  const clients = new ClientProcesses(tracer, calls, DOCKER_CLIENTS);
  const server = createApiServer({ backend: nobody, tracer, clients, tls: null });
  await listenOnSocket(server, path);
  const ask = (sent: {
    method: string;
    path: string;
    headers?: Record<string, string>;
    body?: string;
  }): Promise<number> =>
    new Promise((resolve, reject) => {
      const outgoing = request({ socketPath: path, agent: false, ...sent }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
        // Too late for a status: the server breaks the stream off.
        response.on('error', () => resolve(response.statusCode ?? 0));
      });
      outgoing.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response.statusCode ?? 0);
      });
      outgoing.on('error', reject);
      outgoing.end(sent.body);
    });
  return {
    path,
    ask,
    stillServes: async () => {
      const status = await ask({ method: 'GET', path: '/v1.41/containers/x/json' });
      if (status !== 404) throw new Error(`a good request is answered with ${status}`);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

const oddText = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e9',
    'true',
    '{"label":["a=b"]}',
    '../..',
    '\0',
    '%',
    'a'.repeat(300),
  ),
);
const queryNames = ['all', 'limit', 'filters', 'since', 'until', 'tail', 't', 'signal', 'h', 'w'];
const moreQueryNames = ['condition', 'name', 'fromImage', 'tag', 'stdout', 'stderr', 'follow'];
const anyQuery = fc.array(fc.tuple(fc.constantFrom(...queryNames, ...moreQueryNames), oddText), {
  maxLength: 5,
});
const queryText = (query: readonly (readonly [string, string])[]): string =>
  query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');

const anyRequest = fc.record({
  route: fc.constantFrom(...ROUTES),
  name: oddText,
  version: fc.constantFrom('', '/v1.41', '/v1.50', '/v1.99', '/v0.1', '/v', '//'),
  query: anyQuery,
  contentType: fc.constantFrom('application/json', 'text/plain', '', 'application/x-tar'),
  traceparent: fc.oneof(
    fc.constant(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`),
    fc.constant('00-x'),
  ),
  isUpgrade: fc.boolean(),
  body: fc.oneof(
    mutatedJson(CREATE, { Cmd: ['sh'], Tty: true }, { Name: 'v', Driver: 'local' }).map((value) =>
      JSON.stringify(value),
    ),
    fc.constantFrom('', '{', 'null', '[]', '"'),
  ),
});

const HTTP_SAMPLE = Buffer.from(
  'POST /v1.41/containers/create?name=x HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n' +
    'Content-Length: 19\r\n\r\n{"Image":"busybox"}GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n',
);
const UPGRADE_SAMPLE = Buffer.from(
  'POST /exec/x/start HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n' +
    'Content-Type: application/json\r\nContent-Length: 5\r\n\r\n{"T":1}more',
);

export const ENGINE_API: readonly Target[] = [
  target('Engine API bodies', {
    perThousand: 300,
    inputs: mutatedJson(CREATE, { Cmd: ['sh'] }, { Name: 'v' }).map((value) =>
      Buffer.from(JSON.stringify(value)),
    ),
    open: () => ({
      feed: (body) => {
        for (const schema of [ContainerCreateBody, ExecCreateBody, VolumeCreateBody]) {
          try {
            parseBody<typeof schema>(schema, body);
          } catch (error) {
            if (!(error instanceof EngineError)) throw error;
          }
        }
      },
    }),
  }),
  target('Engine API queries', {
    inputs: fc.tuple(
      fc.oneof(anyQuery.map(queryText), fc.string()),
      fc.constantFrom(...queryNames),
    ),
    open: () => ({
      feed: ([text, name]) => {
        const query = new Query(`/x?${text}`);
        query.flag(name);
        for (const read of [
          () => query.integer(name),
          () => query.time(name),
          () => query.filters(),
        ]) {
          try {
            read();
          } catch (error) {
            if (!(error instanceof EngineError)) throw error;
          }
        }
      },
    }),
  }),
  target('image references', {
    inputs: fc.oneof(
      fc.string({
        unit: fc.constantFrom('a', 'Z', '0', '.', ':', '/', '@', '_', '-', '['),
        maxLength: 300,
      }),
      fc
        .tuple(fc.nat(300), fc.constantFrom('!/x', ':/x', '.:/x', '_.b/c', '@'))
        .map(([length, end]) => `${'a'.repeat(length)}${end}`),
      mutatedBytes(Buffer.from('registry.example:5000/a/b_c:tag@sha256:' + '0'.repeat(64))).map(
        String,
      ),
    ),
    open: () => ({ feed: (text) => void parseReference(text) }),
  }),
  target('Engine API requests', {
    perThousand: 10,
    inputs: anyRequest,
    open: async () => {
      const { ask, stillServes, close } = await openServer();
      return {
        feed: async ({
          route,
          name,
          version,
          query,
          contentType,
          traceparent,
          isUpgrade,
          body,
        }) => {
          const path = route.path.replace('{name}', encodeURIComponent(name));
          const status = await ask({
            method: route.method,
            path: `${version}${path}?${queryText(query)}`,
            headers: {
              traceparent,
              'Content-Type': contentType,
              'Content-Length': String(Buffer.byteLength(body)),
              ...(isUpgrade ? { Connection: 'Upgrade', Upgrade: 'tcp' } : {}),
            },
            body,
          });
          if (status === 500 || status < 200) throw new Error(`answered with ${status}`);
        },
        stillServes,
        close,
      };
    },
  }),
  target('Engine API bytes', {
    perThousand: 20,
    inputs: fc.tuple(mutatedBytes(HTTP_SAMPLE, UPGRADE_SAMPLE), cuts),
    open: async () => {
      const { path, stillServes, close } = await openServer();
      return { feed: (sent) => sendAndLeave({ path }, sent), stillServes, close };
    },
  }),
];
