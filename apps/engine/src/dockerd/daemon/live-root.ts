/** The file system of a running container, as its own processes see it: `/proc/<pid>/root`. See proc_pid_root(5). */
import { EngineError } from '../../protocol/errdefs.ts';
import { ContainedRoot } from '../archive/contained-root.ts';
import type { Container } from '../container/container.ts';
import type { Daemon } from './daemon.ts';

export const withLiveRoot = async <T>(
  daemon: Daemon,
  container: Container,
  work: (root: ContainedRoot) => Promise<T>,
): Promise<T> => {
  const { pid } = container.state;
  const gone = (): EngineError =>
    new EngineError('conflict', `container ${container.id} is not running`);
  if (pid <= 0) throw gone();
  let root: ContainedRoot;
  try {
    root = new ContainedRoot(`/proc/${pid}/root`);
  } catch {
    throw gone();
  }
  try {
    // Asked afterwards: a pid that is still its own now was its own when the folder was opened.
    const task = await daemon.tasks.get(container.id);
    if (!task || task.pid !== pid || (task.status !== 'running' && task.status !== 'paused')) {
      throw gone();
    }
    return await work(root);
  } finally {
    root.close();
  }
};
