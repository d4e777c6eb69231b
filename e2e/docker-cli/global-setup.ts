/**
 * One engine for the whole suite. DOCKER_CLI_PEER chooses another than ours:
 * `real` is Debian's own, to hold our expectations against it; `our-runc`, `our-containerd` and `our-dockerd` are
 * Debian's with one part of ours in the place of theirs.
 */
import type { TestProject } from 'vitest/node';
import type { Engine, EngineAddress } from '../support/engine.ts';
import { startOurEngine } from '../support/our-engine.ts';
import { startRealEngine } from './support/real-engine.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    engine: EngineAddress;
  }
}

export default async function setup(project: TestProject) {
  const engine = await startEngine(process.env['DOCKER_CLI_PEER'] ?? '');
  const { kind, socket, root, cgroupParent } = engine;
  project.provide('engine', { kind, socket, root, cgroupParent });
  return () => engine.stop();
}

function startEngine(peer: string): Promise<Engine> {
  switch (peer) {
    case '':
      return startOurEngine();
    case 'real':
      return startRealEngine();
    case 'our-runc':
      return startRealEngine('runc');
    case 'our-containerd':
      return startRealEngine('containerd');
    case 'our-dockerd':
      return startRealEngine('dockerd');
    default:
      throw new Error(`DOCKER_CLI_PEER=${peer} is not known`);
  }
}
