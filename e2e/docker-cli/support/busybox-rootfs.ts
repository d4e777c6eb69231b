/** A root filesystem made of the machine's own static busybox, for an engine that has no image of it. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  writeFileSync,
  symlinkSync,
  chmodSync,
} from 'node:fs';
import { join } from 'node:path';

/** Fills `directory` and returns it. */
export function makeBusyboxRootfs(directory: string): string {
  for (const name of ['bin', 'dev', 'etc', 'home', 'proc', 'root', 'sys', 'tmp', 'usr/bin', 'var'])
    mkdirSync(join(directory, name), { recursive: true });
  chmodSync(join(directory, 'tmp'), 0o1777);
  const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));
  if (!busybox) throw new Error('needs a static busybox (Debian: apt-get install busybox-static)');
  copyFileSync(busybox, join(directory, 'bin/busybox'));
  for (const applet of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n'))
    if (applet !== 'busybox') symlinkSync('busybox', join(directory, 'bin', applet));
  writeFileSync(
    join(directory, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
  );
  writeFileSync(join(directory, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  return directory;
}
