/** `docker rename`, and a terminal that changes its size. Upstream: moby daemon/{rename,resize}.go. */
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import { checkName } from '../container/names.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';

export const rename = (daemon: Daemon, container: Container, to: string): Promise<void> =>
  container.exclusively(async () => {
    const oldName = container.name;
    if (to === '') {
      throw new EngineError('invalid_argument', 'Neither old nor new names may be empty');
    }
    const newName = checkName(to);
    if (newName === oldName) {
      throw new EngineError(
        'invalid_argument',
        'Renaming a container with the same name as its current name',
      );
    }
    try {
      daemon.store.reserveName(newName, container.id);
    } catch (error) {
      throw new EngineError('conflict', `Error when allocating new name: ${messageOf(error)}`, {
        cause: error,
      });
    }
    try {
      await daemon.store.update(container, { name: newName });
    } catch (error) {
      daemon.store.releaseName(newName);
      throw error;
    }
    daemon.store.releaseName(oldName);
    daemon.events.emit(containerEvent(container, 'rename', { oldName: `/${oldName}` }));
  });

export const resize = async (
  daemon: Daemon,
  container: Container,
  size: { readonly height: number; readonly width: number },
): Promise<void> => {
  if (!isRunning(container.state)) {
    throw new EngineError('conflict', `container ${container.id} is not running`);
  }
  await daemon.tasks.resize(container.id, size.height, size.width);
  daemon.events.emit(
    containerEvent(container, 'resize', {
      height: String(size.height),
      width: String(size.width),
    }),
  );
};
