/** The facts that need no container to be tried: this process has a network, a folder has a volume's shape. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { aProcess, aSpanStarted, from, TRACE } from '../testing/events.ts';
import { lookInto } from './folder.ts';
import { addresses, networkFact } from './network-facts.ts';
import { folderAt, volumeFact } from './volume-facts.ts';
import { medianWork, workOf } from './work-facts.ts';

test('a network as its processes see it', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? String(address?.port) : '';

  expect(networkFact('net.interfaces', process.pid)).toContain('lo');
  expect(addresses(process.pid)).toContain('127.0.0.1');
  expect(networkFact('net.listens', process.pid)).toContain(port);

  server.close();
  // No process has pid 2^22: it is one more than the kernel ever gives. proc_sys_kernel(5)
  expect(networkFact('net.interfaces', 4_194_304)).toBeNull();
});

describe('a folder that somebody else fills', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'facts-'));
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'kept'), 'x');
    symlinkSync('/', join(folder, 'out'));
    symlinkSync('/etc/passwd', join(folder, 'secret'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('a file is found, and a way out is not taken', () => {
    expect(volumeFact('volume.has', folder, '/sub/kept')).toBe(true);
    expect(volumeFact('volume.has', folder, '/sub/lost')).toBe(false);
    expect(volumeFact('volume.has', folder, '/out/etc/passwd')).toBe(false);
    expect(volumeFact('volume.has', folder, '/sub/kept/more')).toBe(false);
    // The link itself is there; where it leads is not looked at.
    expect(lookInto(folder, '/secret')?.isSymbolicLink()).toBe(true);
  });

  test('two names of one folder are one, and a link is none', () => {
    expect(folderAt(process.pid, folder)).toBe(volumeFact('volume.folder', folder, ''));
    expect(folderAt(process.pid, join(folder, 'sub'))).not.toBe(
      volumeFact('volume.folder', folder, ''),
    );
    expect(folderAt(process.pid, join(folder, 'out'))).toBeNull();
  });
});

describe('who was at work', () => {
  const at = <T extends TraceEvent>(ms: number, event: T): T => ({
    ...event,
    mono: String(ms * 1_000_000),
  });
  const ended = (ms: number, spanId: string): TraceEvent => ({
    ...at(ms, aSpanStarted({ spanId })),
    type: 'spanEnded',
    status: { code: 'ok' },
    attributes: {},
  });
  const span = (
    spanId: string,
    name: string,
    actor: TraceEvent['emitter']['actor'],
    [begin, end]: readonly [number, number],
  ): TraceEvent[] => [
    at(begin, from(aSpanStarted({ traceId: TRACE, spanId, name }), { actor })),
    ended(end, spanId),
  ];
  const client = [
    at(0, aProcess({ actor: 'docker', change: 'exec' })),
    at(100, aProcess({ actor: 'docker', change: 'exit', exit: { code: 0 } })),
  ];

  test('the innermost call counts, waiting does not, and all of it makes the whole', () => {
    const work = workOf([
      ...client,
      ...span('wait', 'POST /containers/{id}/wait', 'dockerd', [10, 95]),
      ...span('start', 'POST /containers/{id}/start', 'dockerd', [20, 60]),
      ...span('create', 'containerd.task.v2.Task/Create', 'shim', [30, 55]),
      ...span('runc', 'runc create', 'shim', [40, 50]),
      at(60, aProcess({ actor: 'container', change: 'exec' })),
      at(90, aProcess({ actor: 'container', change: 'exit', exit: { code: 0 } })),
    ]);

    expect(Object.fromEntries(work ?? [])).toEqual({
      // Before the first request and after the last answer.
      docker: 10 + 5,
      // In its own call; and while the client waits and nobody else is at work.
      dockerd: 10 + 10 + 5 + 5,
      shim: 10 + 5,
      runc: 10,
      container: 30,
    });
  });

  test('as long as the client has not ended, nothing is said', () => {
    expect(workOf(client.slice(0, 1))).toBeNull();
  });

  test('of several runs it is the median that is said, of each program its own', () => {
    const runs = [70, 10, 20, 30, 90].map((ms) => [
      ...client,
      ...span('start', 'POST /containers/{id}/start', 'dockerd', [0, ms]),
    ]);
    expect(Object.fromEntries(medianWork(runs) ?? [])).toEqual({ dockerd: 30, docker: 70 });
    expect(medianWork([...runs, client.slice(0, 1)])).toBeNull();
  });

  test('a trace that is too large to be one run is not sorted out', () => {
    const many = Array.from({ length: 2001 }, (_, n) => span(`s${n}`, 'exec', 'shim', [n, n + 1]));
    expect(workOf([...client, ...many.flat()])).toBeNull();
  });
});
