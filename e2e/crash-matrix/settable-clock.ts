/**
 * Programs whose wall clock a test can set. To set the machine's would be felt by everything on it, and a time namespace
 * (time_namespaces(7)) has no wall clock; so the C library's question for it is answered by ours (`settable-clock.c`),
 * for every program that is started below, whatever environment it is given: by an ld.so.preload(8) that they alone see.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('settable-clock.c', import.meta.url));

export class SettableClock {
  readonly #folder = mkdtempSync(join(tmpdir(), 'clock-'));
  readonly #offset = join(this.#folder, 'offset');

  constructor() {
    const library = join(this.#folder, 'clock.so');
    writeFileSync(this.#offset, Buffer.alloc(8));
    const name = `-DOFFSET_FILE="${this.#offset}"`;
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-Wall', name, '-o', library, SOURCE]);
    for (const folder of ['etc', 'work']) mkdirSync(join(this.#folder, folder));
    writeFileSync(join(this.#folder, 'etc/ld.so.preload'), `${library}\n`);
  }

  /** What goes before the argv of a program. */
  get below(): readonly string[] {
    const [lower, upper, work] = ['/etc', join(this.#folder, 'etc'), join(this.#folder, 'work')];
    const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    const script = `mount -t overlay -o ${layers} overlay /etc && exec "$@"`;
    return ['unshare', '--mount', 'sh', '-c', script, 'sh'];
  }

  /** In hours from the true time; in place, because the file is mapped. */
  set(hours: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(hours) * 3_600_000_000_000n);
    writeFileSync(this.#offset, bytes, { flag: 'r+' });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
