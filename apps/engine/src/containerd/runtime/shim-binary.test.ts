import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { BootstrapResultSchema } from '../../protocol/gen/task/bootstrap_pb.ts';
import { binaryName, resolveRuntimePath } from './runtime-path.ts';
import { parseBootstrap, shimEnvironment, socketPathOf } from './shim-binary.ts';

const address = 'unix:///run/engine-room/s/abc';

describe('what a shim answers to start', () => {
  test.each([
    ['a plain address', Buffer.from(`${address}\n`), 2],
    ['JSON', Buffer.from(JSON.stringify({ version: 3, address, protocol: 'ttrpc' })), 3],
    ['JSON of an older shim', Buffer.from(JSON.stringify({ version: 2, address })), 2],
    [
      'protobuf',
      toBinary(
        BootstrapResultSchema,
        create(BootstrapResultSchema, { version: 3, address, protocol: 'ttrpc' }),
      ),
      3,
    ],
  ])('may be %s', (_, output, version) => {
    expect(parseBootstrap(output)).toEqual({ version, address, protocol: 'ttrpc' });
    expect(socketPathOf(parseBootstrap(output))).toBe('/run/engine-room/s/abc');
  });

  test('may name gRPC', () => {
    const answer = { version: 3, address, protocol: 'grpc' };
    expect(parseBootstrap(Buffer.from(JSON.stringify(answer)))).toEqual(answer);
  });

  test.each([
    ['gRPC of the second', Buffer.from(JSON.stringify({ version: 2, address, protocol: 'grpc' }))],
    ['another protocol', Buffer.from(JSON.stringify({ version: 3, address, protocol: 'http' }))],
    ['a later version', Buffer.from(JSON.stringify({ version: 4, address }))],
    ['nothing', Buffer.alloc(0)],
    ['an error message', Buffer.from('panic: something')],
    ['broken JSON', Buffer.from('{"version":')],
  ])('is refused when it is %s', (_, output) => {
    expect(() => parseBootstrap(output)).toThrow(expect.objectContaining({ name: 'EngineError' }));
  });
});

describe('a runtime', () => {
  test('names its shim by its last two words', () => {
    expect(binaryName('io.containerd.engineroom.v2')).toBe('containerd-shim-engineroom-v2');
    expect(binaryName('io.containerd.runc.v2')).toBe('containerd-shim-runc-v2');
  });

  test.each(['', 'runc', '../x.y', 'a/b', 'x..y', 'io.containerd.run c.v2'])(
    'called "%s" is refused',
    (runtime) => {
      expect(() => resolveRuntimePath(runtime, '/nowhere')).toThrow(
        expect.objectContaining({ kind: 'invalid_argument' }),
      );
    },
  );

  test('that is not installed is said so', () => {
    expect(() => resolveRuntimePath('io.example.nothing.v9', '/nowhere')).toThrow(
      'runtime "io.example.nothing.v9" binary not installed "containerd-shim-nothing-v9": file does not exist',
    );
  });
});

test("a shim gets containerd's addresses, and nothing of our environment that slows Node down", () => {
  process.env['NODE_EXTRA_CA_CERTS'] = '/x';

  const env = shimEnvironment(
    { address: '/a', ttrpcAddress: '/a.ttrpc', publishBinary: '/b', isDebug: false },
    'moby',
  );

  expect(env).toMatchObject({
    TTRPC_ADDRESS: '/a.ttrpc',
    GRPC_ADDRESS: '/a',
    NAMESPACE: 'moby',
    PATH: process.env['PATH'],
  });
  expect(env).not.toHaveProperty('NODE_EXTRA_CA_CERTS');
  delete process.env['NODE_EXTRA_CA_CERTS'];
});
