import { existsSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlive, processInfo } from './process-info.ts';
import { findDocker } from './runs/find-docker.ts';
import { aPlace, clearPlace, LabProcess, nothingStays } from './testing/lab-process.ts';

const place = aPlace();
let lab: LabProcess;

beforeAll(async () => {
  lab = await LabProcess.start(place);
}, 60_000);

afterAll(async () => {
  await clearPlace(place);
}, 60_000);

/** Resolves when the daemon runs as another process than `before`. */
const replaced = (actor: 'dockerd' | 'containerd', before: number): Promise<number> =>
  lab.frame((frame) => {
    if (frame.type !== 'hello' && frame.type !== 'engine') return undefined;
    const daemon = frame.engine.daemons.find((each) => each.actor === actor);
    return daemon?.state === 'running' && daemon.pid !== before
      ? (daemon.pid ?? undefined)
      : undefined;
  });

const outputOf = async (traceId: string): Promise<string> =>
  (await lab.events(traceId))
    .map((event) => (event.type === 'output' ? Buffer.from(event.base64, 'base64').toString() : ''))
    .join('');

describe('Send Request', () => {
  test('a real container prints, and each process of the road has told of it', async () => {
    const summary = await lab.run('docker run --rm --network none busybox echo hello');

    expect(summary).toMatchObject({ origin: 'page', exitCode: 0, state: 'ended' });
    expect(await outputOf(summary.traceId)).toBe('hello\n');
    const actors = new Set((await lab.events(summary.traceId)).map(({ emitter }) => emitter.actor));
    expect([...actors].sort()).toEqual(['containerd', 'dockerd', 'lab', 'shim']);
  });

  test('the embedded image tells where it is', async () => {
    const { traceId, containerIds } = await lab.run('docker run --rm --network none hello-world');
    const text = await outputOf(traceId);
    const [born] = (await lab.events(traceId)).filter(
      (event) =>
        event.type === 'process' &&
        event.actor === 'container' &&
        event.containerId === containerIds[0],
    );

    expect(born).toBeDefined();
    expect(text).toContain('I am process 1 ');
    const namespace = /pid:\[\d+\]/.exec(text)?.[0];
    expect(namespace).toBeDefined();
    expect(namespace).not.toBe(readlinkSync('/proc/self/ns/pid'));
  });

  test('the limits that were added are the container’s', async () => {
    const { traceId } = await lab.run(
      `docker run --rm --network none busybox sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null'`,
    );

    expect(await outputOf(traceId)).toBe(`${256 * 1024 * 1024}\n`);
  });

  test('the program’s exit code is the client’s', async () => {
    expect(await lab.run("docker run --rm --network none busybox sh -c 'exit 7'")).toMatchObject({
      exitCode: 7,
    });
    expect(await lab.run('docker run --rm --network none busybox nosuchprogram')).toMatchObject({
      exitCode: 127,
    });
  });

  test('what the client complains about is in the trace', async () => {
    const { traceId, exitCode } = await lab.run(
      'docker run --rm --network none --name bad/name busybox',
    );
    const words = (await lab.events(traceId)).map((event) =>
      event.type === 'spanEvent' ? event.attributes['engineroom.client.text'] : '',
    );

    expect(exitCode).toBe(125);
    expect(words.join('')).toContain('Invalid container name');
  });

  test('containers of others are left alone', async () => {
    await lab.docker(
      'run',
      '-d',
      '--name',
      'theirs',
      '--network',
      'none',
      'busybox',
      'sleep',
      '1000',
    );

    const { status, json } = await lab.api('/run', { command: 'docker rm -f theirs' });

    expect(status).toBe(403);
    expect(json).toMatchObject({
      message: expect.stringContaining('not made from this page') as string,
    });
    expect(await lab.docker('ps', '-q', '--filter', 'name=theirs')).not.toBe('');
    await lab.docker('rm', '-f', 'theirs');
  });

  test('a run can be stopped', async () => {
    const mine = new Set<string>();
    const running = lab.run('docker run --rm --network none busybox sleep 1000');
    const traceId = await lab.frame((frame) => {
      const traces =
        frame.type === 'hello' ? frame.traces : frame.type === 'trace' ? [frame.trace] : [];
      for (const trace of traces)
        if (trace.title.endsWith('sleep 1000') && trace.origin === 'page') mine.add(trace.traceId);
      if (frame.type !== 'events' || !mine.has(frame.traceId)) return undefined;
      const started = frame.events.some(
        (event) =>
          event.type === 'process' && event.actor === 'container' && event.change === 'exec',
      );
      return started ? frame.traceId : undefined;
    });

    expect((await lab.api(`/runs/${traceId}/stop`, {})).status).toBe(202);
    expect(await running).toMatchObject({ exitCode: 137 });
  });
});

describe('the daemons', () => {
  let container: string;
  let pid: number;

  beforeAll(async () => {
    container = await lab.docker(
      'run',
      '-d',
      '--network',
      'none',
      'busybox',
      'sh',
      '-c',
      'trap exit TERM; while :; do sleep 0.1; done',
    );
    pid = Number(await lab.docker('inspect', '-f', '{{.State.Pid}}', container));
  });

  const isTheSame = async (startTime: string | undefined): Promise<void> => {
    expect(processInfo(pid)?.startTime).toBe(startTime);
    expect(await lab.docker('inspect', '-f', '{{.State.Pid}} {{.State.Running}}', container)).toBe(
      `${pid} true`,
    );
  };

  test('dockerd, killed, comes back, and the container has not noticed', async () => {
    const startTime = processInfo(pid)?.startTime;
    const before = lab.pidOf('dockerd');
    process.kill(before, 'SIGKILL');
    await replaced('dockerd', before);

    await isTheSame(startTime);
  });

  test('containerd, killed, comes back, and the container has not noticed', async () => {
    const startTime = processInfo(pid)?.startTime;
    const before = lab.pidOf('containerd');
    process.kill(before, 'SIGKILL');
    await replaced('containerd', before);

    await isTheSame(startTime);
    expect(await lab.run('docker run --rm --network none busybox true')).toMatchObject({
      exitCode: 0,
    });
  });

  test('the lab, killed, hurts nobody, and the next one adopts them', async () => {
    const startTime = processInfo(pid)?.startTime;
    const before = [lab.pidOf('dockerd'), lab.pidOf('containerd')];
    await lab.signal('SIGKILL');
    expect(before.map((each) => processInfo(each)?.state)).toEqual(
      expect.not.arrayContaining([undefined, 'Z']),
    );

    lab = await LabProcess.start(place);

    expect([lab.pidOf('dockerd'), lab.pidOf('containerd')]).toEqual(before);
    await isTheSame(startTime);
  });

  test('Ctrl-C stops the daemons and the containers, and nothing stays', async () => {
    const before = [lab.pidOf('dockerd'), lab.pidOf('containerd'), pid];
    expect(await lab.signal('SIGINT')).toBe(0);

    expect(before.filter((each) => isAlive(each))).toEqual([]);
    await nothingStays(place);
  });
});

test('the client is a program that is there', () => {
  expect(existsSync(findDocker())).toBe(true);
});
