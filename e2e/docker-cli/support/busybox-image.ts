/** The image `busybox` for an engine that has none: imported by the CLI from the machine's own static busybox. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { makeBusyboxRootfs } from './busybox-rootfs.ts';

export function importBusybox(root: string, socket: string): void {
  const rootfs = makeBusyboxRootfs(join(root, 'busybox-rootfs'));
  const archive = execFileSync(
    'tar',
    ['-C', rootfs, '--numeric-owner', '--owner=0', '--group=0', '-c', '.'],
    { maxBuffer: 1 << 28 },
  );
  execFileSync(
    'docker',
    [
      '--host',
      `unix://${socket}`,
      'import',
      '--change',
      'CMD ["sh"]',
      '--change',
      'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      '-',
      'busybox:latest',
    ],
    { input: archive, env: { PATH: process.env['PATH'], DOCKER_CONFIG: root } },
  );
}
