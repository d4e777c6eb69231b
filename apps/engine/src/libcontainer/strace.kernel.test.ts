/**
 * The trace of runc against strace's: create, start and exec, in runc and in init. What we tell is what the kernel was
 * asked, all of it, in its order, with the arguments that matter and with its answers.
 */
import { openSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { native } from '../native/load.ts';
import type { SyscallEvent } from '../protocol/trace/event.ts';
import { Process } from '../protocol/oci/runtime-spec.ts';
import { execContainer } from './exec-container.ts';
import { Bench } from './testing/bundle.ts';
import {
  callsTold,
  differences,
  hasStrace,
  type SeenCall,
  stepsIn,
  straceOwnChildren,
} from './testing/strace.ts';

const bench = new Bench();
afterAll(() => bench.close());

let seen: readonly SeenCall[] = [];
/** The events of one process of one verb. */
const events = (verb: string, actor: 'runc' | 'container'): readonly SyscallEvent[] => {
  const span = bench.events.find(
    (event) => event.type === 'spanStarted' && event.name === `runc ${verb}`,
  );
  return bench.events.filter(
    (event): event is SyscallEvent =>
      event.type === 'syscall' &&
      span?.type === 'spanStarted' &&
      event.spanId === span.spanId &&
      event.caller.actor === actor,
  );
};

const PROCESSES = [
  ['create', 'runc'],
  ['create', 'container'],
  ['start', 'runc'],
  ['exec', 'runc'],
  ['exec', 'container'],
] as const;

/** strace cannot follow a process whose filter forbids what strace needs, so there is none. */
beforeAll(async () => {
  if (!hasStrace) return;
  const bundle = bench.bundle(['sleep', '1000'], {
    process: { noNewPrivileges: true, rlimits: [{ type: 'RLIMIT_NOFILE', soft: 64, hard: 64 }] },
    linux: { sysctl: { 'net.ipv4.ip_forward': '1' } },
  });
  const stop = await straceOwnChildren(join(bench.folder, 'strace'));
  const created = await bench.create(bundle);
  const exited = bench.exitOf(created);
  await bench.start(bundle.id);
  await created.execed;
  const nothing = openSync('/dev/null', 'r+');
  const executed = await execContainer({
    native,
    tracer: bench.tracer,
    root: bench.root,
    id: bundle.id,
    process: Process.parse({ args: ['true'], env: ['PATH=/none:/bin'], cwd: '/tmp' }),
    stdio: [nothing, nothing, nothing],
  });
  closeSync(nothing);
  await bench.exitOf({ ...executed, execed: Promise.resolve() });
  native.pidfdSendSignal(created.pidfd, 9);
  await exited;
  seen = await stop();
}, 120_000);

describe.runIf(hasStrace).each(PROCESSES)('runc %s, in %s', (verb, actor) => {
  const own = () => {
    const told = events(verb, actor);
    return { told, steps: stepsIn(seen, told[0]?.caller.pid ?? 0) };
  };

  test('strace saw what the trace tells, and nothing else', () => {
    const { told, steps } = own();
    expect(steps.length).toBeGreaterThan(actor === 'runc' ? 2 : 20);
    expect(differences(steps, callsTold(told))).toEqual([]);
  });

  test('each record that is dropped, and each that is invented, is noticed', () => {
    const { told, steps } = own();
    for (const index of told.keys()) {
      expect(
        differences(steps, callsTold(told.toSpliced(index, 1))),
        `without ${index}`,
      ).not.toEqual([]);
      const again = { ...told[index], mono: '0' } as SyscallEvent;
      expect(differences(steps, callsTold([again, ...told])), `${index} twice`).not.toEqual([]);
    }
  });

  test('a result that is told wrongly is noticed', () => {
    const { told, steps } = own();
    const lie = told.map((event, index) => (index === 0 ? { ...event, errno: 'EXDEV' } : event));
    expect(differences(steps, callsTold(lie))).not.toEqual([]);
  });
});
