/** `/run`, as it is on a machine that systemd has booted: in memory, so that what daemons only run by costs no disk. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `of(name)`: a folder for one engine. Needs root. */
export function makeRunFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-run-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', folder], {
    stdio: 'inherit',
  });
  if (status !== 0)
    throw new Error(`${folder} cannot be kept in memory: this needs root and mount(8)`);
  return {
    of(name) {
      mkdirSync(join(folder, name), { mode: 0o711 });
      return join(folder, name);
    },
    remove() {
      spawnSync('umount', [folder]);
      rmSync(folder, { recursive: true });
    },
  };
}
