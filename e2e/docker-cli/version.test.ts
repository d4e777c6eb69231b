/** `docker version`, `docker info`, `docker images`: what the engine says about itself. */
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { expect, test } from 'vitest';
import { docker } from './support/suite.ts';

test('version names the server, its API and its components', async () => {
  const { Client, Server } = JSON.parse(await docker.ok(['version', '--format', '{{json .}}'])) as {
    Client: { ApiVersion: string };
    Server: {
      ApiVersion: string;
      MinAPIVersion: string;
      Os: string;
      Arch: string;
      KernelVersion: string;
      Components: { Name: string; Version: string }[];
    };
  };

  expect(Client.ApiVersion).toMatch(/^1\.\d+$/);
  expect(Server.ApiVersion).toMatch(/^1\.\d+$/);
  expect(Server.MinAPIVersion).toMatch(/^1\.\d+$/);
  expect(Server.Os).toBe('linux');
  expect(Server.Arch).toBe({ x64: 'amd64', arm64: 'arm64' }[process.arch as 'x64' | 'arm64']);
  expect(Server.KernelVersion).toBe(release());
  expect(Server.Components.map(({ Name }) => Name)).toEqual(
    expect.arrayContaining(['Engine', 'containerd', 'runc']),
  );
});

test('version prints a client and a server for people', async () => {
  const { code, stdout } = await docker(['version']);

  expect(code).toBe(0);
  expect(stdout).toMatch(/^Client/);
  expect(stdout).toMatch(/^Server/m);
});

test('info agrees with the machine', async () => {
  const info = JSON.parse(await docker.ok(['info', '--format', '{{json .}}'])) as Record<
    string,
    unknown
  >;
  const totalKib = Number(/MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]);

  expect(info).toMatchObject({
    OSType: 'linux',
    KernelVersion: release(),
    NCPU: cpus().length,
    MemTotal: totalKib * 1024,
  });
  expect(info['Runtimes']).toHaveProperty('runc');
  expect(['1', '2']).toContain(info['CgroupVersion']);
  expect(info['ID']).not.toBe('');
});

test('info counts the containers by state', async () => {
  const counts = async () =>
    JSON.parse(
      await docker.ok([
        'info',
        '--format',
        '{"all":{{.Containers}},"running":{{.ContainersRunning}},"stopped":{{.ContainersStopped}}}',
      ]),
    ) as { all: number; running: number; stopped: number };
  const before = await counts();

  const id = await docker.ok([
    'run',
    '-d',
    '--name',
    'counted',
    'busybox',
    'sh',
    '-c',
    'exec sleep 1000',
  ]);
  const during = await counts();
  await docker.ok(['kill', id]);
  await docker(['wait', id]);
  const after = await counts();
  await docker.ok(['rm', id]);

  expect(during).toEqual({ ...before, all: before.all + 1, running: before.running + 1 });
  expect(after).toEqual({ ...before, all: before.all + 1, stopped: before.stopped + 1 });
});

test('info prints for people and ends well', async () => {
  const { code, stdout, stderr } = await docker(['info']);

  expect(code).toBe(0);
  expect(stdout).toContain('Server:');
  expect(stderr).not.toContain('ERROR');
});

test('images lists busybox with an id, an age and a size', async () => {
  const table = await docker.ok(['images']);
  const row = table.split('\n').find((line) => line.startsWith('busybox'));

  expect(table.split('\n')[0]).toMatch(/REPOSITORY\s+TAG\s+IMAGE ID\s+CREATED\s+SIZE/);
  expect(row).toMatch(/^busybox\s+latest\s+[0-9a-f]{12}\s+.+ ago\s+[\d.]+[kM]?B$/);
});

test('images -q prints the id that inspect knows', async () => {
  const id = await docker.ok(['images', '-q', '--no-trunc', 'busybox']);
  const image = await docker.inspect('busybox');

  expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(image.Id).toBe(id);
});
