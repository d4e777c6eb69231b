/** Debian's docker-registry on a free port of this machine. Upstream: github.com/distribution/distribution 2. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../support/free-port.ts';

export interface Registry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  stop(): Promise<void>;
}

export interface RegistryOptions {
  /** Lines below `http:` and beside it, such as TLS and auth. */
  readonly http?: string;
  readonly extra?: string;
  /** What answers 200 when it is up; with auth it answers 401. */
  readonly isUp?: (host: string) => Promise<boolean>;
}

const START_TIMEOUT_MS = 60_000;

const answers = (host: string): Promise<boolean> =>
  fetch(`http://${host}/v2/`).then(
    ({ ok }) => ok,
    () => false,
  );

export const startRegistry = async (options: RegistryOptions = {}): Promise<Registry> => {
  const root = mkdtempSync(join(tmpdir(), 'registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(root, 'config.yml');
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: ${root}/data}\n  delete: {enabled: true}\n` +
      `http:\n  addr: ${host}\n${options.http ?? ''}${options.extra ?? ''}`,
  );
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4096)));
  const isUp = options.isUp ?? answers;
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await isUp(host))) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`docker-registry did not start:\n${said}`);
    await sleep(50);
  }
  return {
    host,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      rmSync(root, { recursive: true, force: true });
    },
  };
};
