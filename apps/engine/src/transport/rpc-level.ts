/** How much zoom shows a call: most of them are details, the ones that a `docker run` is made of are not. */
import type { DescMethod } from '@bufbuild/protobuf';
import type { Level } from '../protocol/trace/event.ts';

const LEVELS: Readonly<Record<string, Level>> = {
  'containerd.services.tasks.v1.Tasks/Create': 'chapter',
  'containerd.services.tasks.v1.Tasks/Start': 'step',
  'containerd.services.tasks.v1.Tasks/Kill': 'step',
  'containerd.services.tasks.v1.Tasks/Exec': 'step',
  'containerd.services.tasks.v1.Tasks/Pause': 'step',
  'containerd.services.tasks.v1.Tasks/Resume': 'step',
  'containerd.task.v3.Task/Create': 'chapter',
  'containerd.task.v3.Task/Start': 'step',
  'containerd.task.v3.Task/Delete': 'step',
  'containerd.task.v3.Task/Kill': 'step',
  'containerd.task.v3.Task/Exec': 'step',
  'containerd.task.v3.Task/Pause': 'step',
  'containerd.task.v3.Task/Resume': 'step',
};

/** What a client of containerd's own asks for, one call after the other: its story has no dockerd that tells it. */
const OBSERVED: Readonly<Record<string, Level>> = {
  'containerd.services.containers.v1.Containers/Create': 'step',
  'containerd.services.containers.v1.Containers/Delete': 'step',
  'containerd.services.diff.v1.Diff/Apply': 'step',
  'containerd.services.diff.v1.Diff/Diff': 'step',
  'containerd.services.images.v1.Images/Create': 'step',
  'containerd.services.images.v1.Images/Delete': 'step',
  'containerd.services.images.v1.Images/Get': 'step',
  'containerd.services.images.v1.Images/List': 'step',
  'containerd.services.containers.v1.Containers/List': 'step',
  'containerd.services.snapshots.v1.Snapshots/Commit': 'step',
  'containerd.services.snapshots.v1.Snapshots/Prepare': 'step',
  'containerd.services.snapshots.v1.Snapshots/Remove': 'step',
  'containerd.services.tasks.v1.Tasks/Delete': 'step',
  'containerd.services.tasks.v1.Tasks/List': 'step',
  'containerd.services.tasks.v1.Tasks/Wait': 'step',
};

export const observedLevelOf = (method: DescMethod): Level => {
  const level = levelOf(method);
  return level === 'detail' ? (OBSERVED[fullName(method)] ?? level) : level;
};

/** A client that waits for the end of a task by asking hears of it in the answer. */
export const observedAnswerLevelOf = (method: DescMethod): Level =>
  fullName(method) === 'containerd.services.tasks.v1.Tasks/Wait'
    ? 'chapter'
    : answerLevelOf(method);

/** An answer says that a call is over. Only this one says something new: the container is there. */
export const answerLevelOf = (method: DescMethod): Level =>
  fullName(method) === 'containerd.services.tasks.v1.Tasks/Create' ? 'step' : 'detail';

/** `containerd.services.tasks.v1.Tasks/Create`: the path without its first slash, and the name of both spans. */
export const fullName = (method: DescMethod): string => `${method.parent.typeName}/${method.name}`;

/** `Tasks/Create`. */
export const shortName = (method: DescMethod): string => `${method.parent.name}/${method.name}`;

export const levelOf = (method: DescMethod): Level =>
  LEVELS[fullName(method).replace('containerd.task.v2.', 'containerd.task.v3.')] ?? 'detail';
