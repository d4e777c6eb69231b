import { Readable } from 'node:stream';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { BootstrapParamsSchema, BootstrapResultSchema } from '../protocol/gen/task/bootstrap_pb.ts';
import { RuntimeInfoSchema } from '../protocol/gen/task/runtime-info_pb.ts';
import { bootstrapAnswer, parseParams, readInput, runtimeInfo } from './bootstrap.ts';

const identity = { id: 'c1', namespace: 'moby' };
const options = create(AnySchema, {
  typeUrl: 'containerd.runc.v1.Options',
  value: new Uint8Array([1]),
});
const params = create(BootstrapParamsSchema, { instanceId: 'c1', namespace: 'moby' });

describe('the bootstrap', () => {
  it('tells BootstrapParams from the options of older versions', () => {
    expect(parseParams(toBinary(BootstrapParamsSchema, params), identity)).toMatchObject({
      instanceId: 'c1',
    });
    expect(parseParams(toBinary(AnySchema, options), identity)).toBeNull();
    expect(parseParams(new Uint8Array(), identity)).toBeNull();
    expect(parseParams(new Uint8Array([255, 255]), identity)).toBeNull();
    const other = create(BootstrapParamsSchema, { instanceId: 'c2', namespace: 'moby' });
    expect(parseParams(toBinary(BootstrapParamsSchema, other), identity)).toBeNull();
  });

  it('answers each generation in its own way', () => {
    const address = 'unix:///s';
    expect(bootstrapAnswer(address, null, {})).toBe(address);
    expect(bootstrapAnswer(address, null, { MAX_SHIM_VERSION: '2' })).toBe(
      '{"version":2,"address":"unix:///s","protocol":"ttrpc"}',
    );
    expect(bootstrapAnswer(address, null, { MAX_SHIM_VERSION: '9' })).toContain('"version":3');
    const answer = bootstrapAnswer(address, params, { MAX_SHIM_VERSION: '2' });
    expect(fromBinary(BootstrapResultSchema, answer as Uint8Array)).toMatchObject({
      version: 3,
      address,
      protocol: 'ttrpc',
    });
  });

  it('reads its input to the end, within a limit', async () => {
    expect(await readInput(Readable.from([Buffer.from('ab'), Buffer.from('c')]))).toEqual(
      Buffer.from('abc'),
    );
    const block = Buffer.alloc(6 * 1024 * 1024);
    await expect(readInput(Readable.from([block, block]))).rejects.toThrow('too long');
  });

  it('says who it is, with the options that it was asked with', () => {
    const subject = { name: 'io.containerd.engineroom.v2', version: '1' };
    const info = fromBinary(RuntimeInfoSchema, runtimeInfo(toBinary(AnySchema, options), subject));
    expect(info).toMatchObject({ name: subject.name, options: { typeUrl: options.typeUrl } });
    expect(fromBinary(RuntimeInfoSchema, runtimeInfo(new Uint8Array(), subject)).options).toBe(
      undefined,
    );
    expect(() => runtimeInfo(new Uint8Array([255]), subject)).toThrow('runtime options');
  });
});
