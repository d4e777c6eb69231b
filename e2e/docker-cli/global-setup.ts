/**
 * One engine for the whole suite. DOCKER_CLI_PEER chooses another than ours:
 * `real` is Debian's own, to hold our expectations against it; `our-runc`, `our-containerd` and `our-dockerd` are
 * Debian's with one part of ours in the place of theirs; `native` is ours on a machine without overlayfs.
 */
import type { TestProject } from 'vitest/node';
import type { Engine, EngineAddress } from '../support/engine.ts';
import { startOurEngine } from '../support/our-engine.ts';
import { startBareDaemon } from './support/bare-daemon.ts';
import { importBusybox } from './support/busybox-image.ts';
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

async function startNative(): Promise<Engine> {
  const engine = await startBareDaemon(() => ['--storage-driver', 'native']);
  importBusybox(engine.root, engine.socket);
  return engine;
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
    case 'native':
      return startNative();
    default:
      throw new Error(`DOCKER_CLI_PEER=${peer} is not known`);
  }
}
