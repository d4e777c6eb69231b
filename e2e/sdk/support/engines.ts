/** Both engines, ours and Debian's, for peers that are asked the same of each. */
import { afterAll, beforeAll } from 'vitest';
import { startRealEngine } from '../../docker-cli/support/real-engine.ts';
import type { Engine } from '../../support/engine.ts';
import { startOurEngine } from '../../support/our-engine.ts';

export interface Peer {
  readonly engine: Engine;
  /** The words before a command that is to reach what the engine publishes. nsenter(1) */
  readonly inside: readonly string[];
}

/** Fills the answer before the tests of the file, and empties the machine after them. */
export function bothEngines(): readonly Peer[] {
  const peers: Peer[] = [];
  beforeAll(async () => {
    const real = await startRealEngine();
    const target = ['--target', String(real.insidePid)];
    peers.push({ engine: real, inside: ['nsenter', ...target, '--net', '--'] });
    peers.push({ engine: await startOurEngine(), inside: [] });
  }, 180_000);
  afterAll(async () => {
    for (const { engine } of peers) await engine.stop();
  }, 120_000);
  return peers;
}
