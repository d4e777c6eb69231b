/**
 * The brakes that the compiler puts into what we build (scripts/build-native.mjs), read back from the results.
 * elf(5), gcc(1) -fstack-protector-strong, -fcf-protection, _FORTIFY_SOURCE; ld(1) -z relro, -z now, -z noexecstack.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const build = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../build/${name}`, import.meta.url)));

const ET_DYN = 3;
const PT = {
  load: 1,
  dynamic: 2,
  interp: 3,
  property: 0x6474e553,
  stack: 0x6474e551,
  relro: 0x6474e552,
};
const PF = { execute: 1, write: 2 };
const DT = { needed: 1, rela: 7, textRelocations: 22, flags: 30 };
const BIND_NOW = 8n;
const X86_FEATURES = 0xc0000002;
const IBT_AND_SHSTK = 3;

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly bytes: Buffer;
}

const segmentsOf = (file: Buffer): readonly Segment[] => {
  const at = Number(file.readBigUInt64LE(32));
  return Array.from({ length: file.readUInt16LE(56) }, (_, index) => {
    const head = file.subarray(at + index * file.readUInt16LE(54));
    const offset = Number(head.readBigUInt64LE(8));
    const bytes = file.subarray(offset, offset + Number(head.readBigUInt64LE(32)));
    return { type: head.readUInt32LE(0), flags: head.readUInt32LE(4), bytes };
  });
};

const dynamicOf = (segments: readonly Segment[]): ReadonlyMap<number, bigint> => {
  const bytes = segments.find(({ type }) => type === PT.dynamic)?.bytes ?? Buffer.alloc(0);
  return new Map(
    Array.from({ length: bytes.length / 16 }, (_, index) => [
      Number(bytes.readBigUInt64LE(index * 16)),
      bytes.readBigUInt64LE(index * 16 + 8),
    ]),
  );
};

/** The bits of GNU_PROPERTY_X86_FEATURE_1_AND: what each part of the file was compiled with. */
const x86Features = (segments: readonly Segment[]): number => {
  const note = segments.find(({ type }) => type === PT.property)?.bytes;
  const property = note?.subarray(16);
  return property?.readUInt32LE(0) === X86_FEATURES ? property.readUInt32LE(8) : 0;
};

const faultsOf = (file: Buffer): readonly string[] => {
  const segments = segmentsOf(file);
  const dynamic = dynamicOf(segments);
  const stack = segments.find(({ type }) => type === PT.stack);
  const isOpen = ({ type, flags }: Segment) =>
    type === PT.load && (flags & PF.write) !== 0 && (flags & PF.execute) !== 0;
  return [
    ...(file.readUInt16LE(16) === ET_DYN ? [] : ['stands at a fixed address']),
    ...(!stack || stack.flags & PF.execute ? ['its stack is executable'] : []),
    ...(segments.some(({ type }) => type === PT.relro) ? [] : ['no relro']),
    ...(((dynamic.get(DT.flags) ?? 0n) & BIND_NOW) === 0n ? ['binds late'] : []),
    ...(dynamic.has(DT.textRelocations) ? ['its text is relocated'] : []),
    ...(segments.some(isOpen) ? ['memory is writable and executable'] : []),
  ];
};

test.each(['runc', 'engine-room.node'])('%s has every brake', (name) => {
  expect(faultsOf(build(name))).toEqual([]);
});

/** Of the helper alone: the addon is linked with start files of the distribution's, and these do not have it everywhere. */
const hasControlFlowProtection = (file: Buffer): boolean =>
  x86Features(segmentsOf(file)) === IBT_AND_SHSTK;

test('the helper is small, links no library, asks no loader for anything, and guards its stack and its jumps', () => {
  const file = build('runc');
  const segments = segmentsOf(file);
  expect(file.length).toBeLessThan(32 * 1024);
  expect(segments.some(({ type }) => type === PT.interp)).toBe(false);
  expect(dynamicOf(segments).has(DT.needed)).toBe(false);
  expect(dynamicOf(segments).has(DT.rela)).toBe(false);
  if (process.arch === 'x64') expect(hasControlFlowProtection(file)).toBe(true);
  // The linker throws away what nobody calls.
  expect(file.includes('a buffer on the stack was overrun')).toBe(true);
});

test('the addon guards its stack and its copies', () => {
  const file = build('engine-room.node');
  expect(file.includes('__stack_chk_fail')).toBe(true);
  expect(file.toString('latin1')).toMatch(/\0__memcpy_chk\0/);
});

describe('the reader of ELF', () => {
  test('sees when the brakes are missing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hardening-'));
    try {
      const [source, result] = [join(folder, 'plain.c'), join(folder, 'plain')];
      writeFileSync(source, 'void _start(void) { for (;;) {} }\n');
      execFileSync('cc', [
        ...['-nostdlib', '-static', '-no-pie', '-fno-pie'],
        ...(process.arch === 'x64' ? ['-fcf-protection=none'] : []),
        ...['-z', 'execstack', '-Wl,-z,norelro', '-o', result, source],
      ]);
      expect(hasControlFlowProtection(readFileSync(result))).toBe(false);
      expect(faultsOf(readFileSync(result))).toEqual([
        'stands at a fixed address',
        'its stack is executable',
        'no relro',
        'binds late',
      ]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
