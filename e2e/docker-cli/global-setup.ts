/** One engine for the whole suite: ours, or with DOCKER_CLI_PEER=real Debian's own, to hold our expectations against it. */
import type { TestProject } from 'vitest/node';
import type { EngineAddress } from '../support/engine.ts';
import { startOurEngine } from '../support/our-engine.ts';
import { startRealEngine } from './support/real-engine.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    engine: EngineAddress;
  }
}

export default async function setup(project: TestProject) {
  const engine =
    process.env['DOCKER_CLI_PEER'] === 'real' ? await startRealEngine() : await startOurEngine();
  const { kind, socket, root, cgroupParent } = engine;
  project.provide('engine', { kind, socket, root, cgroupParent });
  return () => engine.stop();
}
