/** Rooms for a test: on a bus of their own, kept in a folder of its own, with an engine that the test plays. */
import { join } from 'node:path';
import type { EngineStatus } from '../../protocol/trace/stream.ts';
import { InProcessBus } from '../bus/in-process-bus.ts';
import type { TraceStore } from '../collector/trace-store.ts';
import { RoomFiles } from '../rooms/room-files.ts';
import { RoomService, type RoomServiceOptions } from '../rooms/room-service.ts';

export const A_STATUS: EngineStatus = {
  canLaunch: true,
  reason: null,
  daemons: [{ actor: 'dockerd', pid: 1, state: 'running' }],
  dockerSocket: '/secret/docker.sock',
  limits: { maxContainers: 8, runTimeoutMs: 60_000 },
};

export const testRooms = (
  folder: string,
  store: TraceStore,
  options: Partial<RoomServiceOptions> = {},
): RoomService =>
  new RoomService({
    bus: new InProcessBus(),
    store,
    engine: () => A_STATUS,
    run: () => Promise.resolve({ status: 503, message: 'this test has no engine' }),
    check: () => Promise.resolve({ observations: [] }),
    files: new RoomFiles(join(folder, 'rooms')),
    sendToAll: null,
    reach: () => ({ audienceUrl: null, reach: 'only this machine can follow' }),
    ...options,
  });
