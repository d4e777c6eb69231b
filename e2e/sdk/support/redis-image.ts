/** An image of Debian's own redis: the programs of its package, the libraries that they are linked with, and busybox. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeBusyboxRootfs } from '../../docker-cli/support/busybox-rootfs.ts';
import type { EngineAddress } from '../../support/engine.ts';

const PROGRAMS = ['/usr/bin/redis-server', '/usr/bin/redis-cli'];

/** `libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x…)`, or the loader alone. ldd(1) */
const librariesOf = (program: string): readonly string[] =>
  execFileSync('ldd', [program], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);

/** `docker import` of it, as `redis:latest`. */
export function importRedis({ root, socket }: EngineAddress): void {
  const rootfs = makeBusyboxRootfs(join(root, 'redis-rootfs'));
  for (const path of new Set([...PROGRAMS, ...PROGRAMS.flatMap(librariesOf)])) {
    mkdirSync(join(rootfs, dirname(path)), { recursive: true });
    copyFileSync(path, join(rootfs, path));
  }
  const archive = execFileSync(
    'tar',
    ['-C', rootfs, '--numeric-owner', '--owner=0', '--group=0', '-c', '.'],
    { maxBuffer: 1 << 28 },
  );
  execFileSync(
    'docker',
    ['--host', `unix://${socket}`, 'import', '--change', 'CMD ["redis-server"]', '-', 'redis'],
    { input: archive, env: { PATH: process.env['PATH'], DOCKER_CONFIG: root } },
  );
}
