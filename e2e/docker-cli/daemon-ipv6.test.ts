/** `dockerd --ipv6`: the default bridge has addresses of both kinds, from one start to the next. */
import { expect, test } from 'vitest';
import { dockerFor } from '../support/docker.ts';
import { startBareDaemon } from './support/bare-daemon.ts';
import { importBusybox } from './support/busybox-image.ts';

const SUBNET = '2001:db8:77::/64';

test(
  '--ipv6 with --fixed-cidr-v6: address, gateway, neighbours',
  { timeout: 120_000 },
  async () => {
    const engine = await startBareDaemon(() => ['--ipv6', '--fixed-cidr-v6', SUBNET]);
    try {
      const docker = dockerFor(engine);
      importBusybox(engine.root, engine.socket);
      const settings = '{{.EnableIPv6}} {{range .IPAM.Config}}{{.Subnet}} {{end}}';
      expect(await docker.ok(['network', 'inspect', '--format', settings, 'bridge'])).toMatch(
        new RegExp(`^true .*${SUBNET}`),
      );
      await docker.ok(['run', '-d', '--name', 'one', 'busybox', 'sleep', '1000']);
      const address = await docker.ok([
        ...['inspect', '--format', '{{.NetworkSettings.GlobalIPv6Address}}', 'one'],
      ]);
      expect(address).toMatch(/^2001:db8:77::/);
      const script = `ping -6 -c 1 -W 5 ${address} && ping -6 -c 1 -W 5 2001:db8:77::1`;
      expect((await docker(['run', '--rm', 'busybox', 'sh', '-c', script])).code).toBe(0);
    } finally {
      await engine.stop();
    }
  },
);

test('--ipv6 alone takes a subnet of the engine’s own, and a wrong one is refused', async () => {
  const engine = await startBareDaemon(() => ['--ipv6']);
  try {
    const format = '{{range .IPAM.Config}}{{.Subnet}} {{end}}';
    expect(
      await dockerFor(engine).ok(['network', 'inspect', '--format', format, 'bridge']),
    ).toMatch(/ fd[0-9a-f:]+\/64/);
  } finally {
    await engine.stop();
  }
  await expect(startBareDaemon(() => ['--ipv6', '--fixed-cidr-v6', 'nonsense'])).rejects.toThrow(
    'invalid CIDR address: nonsense',
  );
}, 120_000);
