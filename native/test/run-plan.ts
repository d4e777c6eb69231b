/** Spawns the helper with a plan and collects what comes back. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { ExitStatus, SpawnedRunc } from '../native.ts';
import { native } from './addon.ts';
import { encodeTinyPlan, type TinyPlan } from './tiny-plan.ts';

export interface Record {
  readonly stage: 'parent' | 'init';
  readonly index: number;
  readonly beginMono: bigint;
  readonly endMono: bigint;
  readonly result: number;
  readonly errno: number;
  readonly pid: number;
}

export const SIGCHLD = 17;
export const CLONE_NEWNS = 0x20000;
export const CLONE_NEWUTS = 0x4000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEWNET = 0x40000000;

/** struct clone_args of clone3(2), as far as a fork in new namespaces needs it. */
export function cloneArguments(flags: number): Uint8Array {
  const bytes = Buffer.alloc(88);
  bytes.writeBigUInt64LE(BigInt(flags), 0);
  bytes.writeBigUInt64LE(BigInt(SIGCHLD), 32);
  return bytes;
}

/** The step that forks init in new namespaces. */
export function forkInit(flags: number) {
  return { call: 'clone3', arguments: [cloneArguments(flags), 88], forksInit: true } as const;
}

/** Resolves as soon as the descriptor is readable. */
export function readable(fd: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = native.watchReadable(fd, () => {
      stop();
      resolve();
    });
  });
}

/** Everything up to the end of the file, as bytes. */
export async function readAll(fd: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    await readable(fd);
    const chunk = Buffer.alloc(65536);
    const count = readSync(fd, chunk);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
  }
}

export function parseRecords(bytes: Buffer): Record[] {
  const records: Record[] = [];
  for (let at = 0; at < bytes.length; at += 48) {
    records.push({
      stage: bytes.readUInt32LE(at) === 0 ? 'parent' : 'init',
      index: bytes.readUInt32LE(at + 4),
      beginMono: bytes.readBigUInt64LE(at + 8),
      endMono: bytes.readBigUInt64LE(at + 16),
      result: Number(bytes.readBigInt64LE(at + 24)),
      errno: bytes.readInt32LE(at + 32),
      pid: bytes.readUInt32LE(at + 36),
    });
  }
  return records;
}

export async function waitFor(child: {
  readonly pid: number;
  readonly pidfd: number;
}): Promise<ExitStatus> {
  await readable(child.pidfd);
  native.close(child.pidfd);
  const status = native.reap(child.pid);
  if (status === null)
    throw new Error(`the pidfd of ${child.pid} is readable, but it has not exited`);
  return status;
}

export function spawnPlan(
  plan: TinyPlan | Uint8Array,
  options: {
    readonly stdio?: readonly [number, number, number];
    readonly extraFds?: readonly number[];
    readonly cwd?: string;
  } = {},
): SpawnedRunc {
  const devNull = openSync('/dev/null', 'r+');
  try {
    return native.spawnRunc({
      plan: plan instanceof Uint8Array ? plan : encodeTinyPlan(plan),
      stdio: options.stdio ?? [devNull, devNull, devNull],
      extraFds: options.extraFds ?? [],
      argv: ['runc', 'create', 'test'],
      cwd: options.cwd ?? '/',
    });
  } finally {
    closeSync(devNull);
  }
}

/** Runs a plan to the end of runc and init: exit status of runc, and all records. */
export async function runPlan(
  plan: TinyPlan | Uint8Array,
  options: Parameters<typeof spawnPlan>[1] = {},
): Promise<{
  readonly exit: ExitStatus;
  readonly records: readonly Record[];
  readonly pid: number;
}> {
  const runc = spawnPlan(plan, options);
  const records = parseRecords(await readAll(runc.records));
  native.close(runc.records);
  return { exit: await waitFor(runc), records, pid: runc.pid };
}

/** What a plan writes to its standard output. */
export async function outputOfPlan(plan: TinyPlan): Promise<string> {
  const [output, write] = native.pipe();
  const devNull = openSync('/dev/null', 'r+');
  const runc = spawnPlan(plan, { stdio: [devNull, write, devNull] });
  closeSync(devNull);
  native.close(write);
  native.close(runc.records);
  const text = (await readAll(output)).toString();
  native.close(output);
  await waitFor(runc);
  return text;
}
