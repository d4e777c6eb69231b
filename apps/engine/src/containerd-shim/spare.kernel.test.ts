/** Spare shims, and the template that they are copies of, as containerd has them. */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readProcess } from '../libcontainer/state-file.ts';
import { isAlive, readJson, until } from './testing/ask.ts';
import { buildShim, ShimBench } from './testing/shim-bench.ts';

let bench: ShimBench;

beforeAll(buildShim, 60_000);
beforeEach(async () => {
  bench = new ShimBench();
  await bench.openContainerd();
});
afterEach(async () => {
  await bench.close();
});

/** What a process has of its own, and its part of what it shares. proc_pid_smaps(5) */
const pssKib = (pid: number): number =>
  Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);

/** Files and sockets. (All epolls and eventfds have one name.) One may be closed while they are counted. */
const openIn = (pid: number): readonly string[] =>
  readdirSync(`/proc/${pid}/fd`)
    .flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return [];
      }
    })
    .filter((target) => /^\/|^socket:/.test(target));

/** inotify(7), as proc_pid_fdinfo(5) has it. */
const watchesOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/fdinfo`)
    .map((fd) => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))
    .join('')
    .split('inotify wd:').length - 1;

describe('a spare', () => {
  it('leaves when its containerd does, and the template that it is a copy of too', async () => {
    const { line, hello: template, claimSocket } = await bench.template();
    const { socket, hello } = await bench.spare();
    expect([isAlive(template.pid), isAlive(hello.pid)]).toEqual([true, true]);
    socket.destroy();
    await until(() => !isAlive(hello.pid));
    expect(isAlive(template.pid)).toBe(true);
    line.destroy();
    await until(() => !isAlive(template.pid));
    expect(existsSync(claimSocket)).toBe(false);
  });

  it('is nobody’s child, knows itself, and holds no line of its siblings', async () => {
    const { hello: template } = await bench.template();
    const [first, second] = [await bench.spare(), await bench.spare()];
    const facts = readProcess(second.hello.pid);
    expect(facts?.ppid).not.toBe(template.pid);
    expect(facts?.startTime).toBe(second.hello.startTime);
    // Its process group and session are its own. proc_pid_stat(5)
    const stat = readFileSync(`/proc/${second.hello.pid}/stat`, 'utf8').split(' ');
    expect(stat.slice(4, 6)).toEqual([`${second.hello.pid}`, `${second.hello.pid}`]);
    // Were the line of the first open in the second, too, its end would not be noticed.
    process.kill(first.hello.pid, 'SIGKILL');
    await once(first.socket, 'close');
    expect(isAlive(second.hello.pid)).toBe(true);
    second.socket.destroy();
  });

  it('has no file, no socket and no watch of its template or of a sibling', async () => {
    const { hello: template } = await bench.template();
    const spares = [await bench.spare(), await bench.spare()];
    const [first = 0, second = 0] = spares.map(({ hello }) => hello.pid);
    const openInOthers = () => new Set([...openIn(template.pid), ...openIn(first)]);
    const shared = () => openIn(second).filter((target) => openInOthers().has(target));
    // A spare may say hello before its template has hung up.
    await until(() => !shared().some((target) => target.startsWith('socket:')));
    // The helper that becomes runc is sealed; nobody can change it for another.
    expect(new Set(shared())).toEqual(new Set(['/dev/null', '/memfd:runc (deleted)']));
    expect(openIn(second).filter((target) => target.startsWith('socket:')).length).toBe(2);
    expect([template.pid, first, second].map(watchesOf)).toEqual([1, 0, 0]);
    for (const { socket } of spares) socket.destroy();
  });

  it('draws ids that none of its siblings draws', async () => {
    const shims = [
      await bench.claim({ args: ['true'] }),
      await bench.claim({ args: ['true'] }),
      await bench.claim({ args: ['true'] }),
    ];
    for (const { id, bundle, task } of shims)
      await bench.tracer.span('run', {}, () =>
        task.create({ id, bundle, rootfs: bench.rootfs(bundle) }),
      );
    const spansOf = (pid: number) =>
      bench.trace.flatMap((event) =>
        event.type === 'spanStarted' && event.emitter.pid === pid ? [event.spanId] : [],
      );
    await until(() => shims.every(({ pid }) => spansOf(pid).length > 1));
    const all = shims.flatMap(({ pid }) => spansOf(pid));
    expect(new Set(all).size).toBe(all.length);
  });

  it('shares what it has not changed: each of ten weighs less than 10 MiB', async () => {
    await bench.template();
    const spares = await Promise.all(Array.from({ length: 10 }, () => bench.spare()));
    const weights = spares.map(({ hello }) => pssKib(hello.pid));
    expect(Math.max(...weights)).toBeLessThan(10 * 1024);
    for (const { socket } of spares) socket.destroy();
  });

  it('is a copy of a template that was taught a seccomp policy, and nothing that is taught ends one', async () => {
    const { line } = await bench.template();
    const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] };
    for (const lesson of [
      JSON.stringify({ seccomp }),
      '{"seccomp":{"defaultAction":1}}',
      'nonsense',
    ]) {
      line.write(`${lesson}\n`);
      expect(await readJson(line)).toEqual({});
    }
    const { id, bundle, task } = await bench.claim({ args: ['sh', '-c', 'exit 7'], seccomp });
    await task.create({ id, bundle, rootfs: bench.rootfs(bundle) });
    await task.start({ id });
    expect((await task.wait({ id })).exitStatus).toBe(7);
  });

  it('runs what stands in its bundle, whatever container was foreseen', async () => {
    const { id, bundle, task } = await bench.claim({ args: ['sh', '-c', 'exit 7'] }, (spare) => {
      const process = { args: ['sh', '-c', 'exit 9'], cwd: '/', user: { uid: 0, gid: 0 } };
      const other = JSON.stringify({ ociVersion: '1.0.2', root: { path: 'rootfs' }, process });
      for (const config of ['nonsense', other]) spare.write(`${JSON.stringify({ config })}\n`);
    });
    await task.create({ id, bundle, rootfs: bench.rootfs(bundle) });
    await task.start({ id });
    expect((await task.wait({ id })).exitStatus).toBe(7);
  });

  it('says no to nonsense and leaves', async () => {
    const { socket, hello } = await bench.spare();
    socket.write(
      '{"namespace":"../..","id":"x","bundle":"/tmp","address":"/a","ttrpcAddress":"/b"}\n',
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toContain('"error":"namespace');
    await until(() => !isAlive(hello.pid));
  });
});
