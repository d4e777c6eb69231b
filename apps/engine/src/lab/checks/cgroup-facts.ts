/** Facts about a container's cgroup, under one name for both versions. cgroups(7), and the kernel's cgroup-v2.rst */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FactName } from '../../protocol/lesson/facts.ts';
import type { Value } from '../../protocol/lesson/predicate.ts';

interface Question {
  readonly controller: string;
  readonly v1: string;
  readonly v2: string;
  readonly read: (text: string) => Value;
}

/** `max`, or on v1 a number near 2^63, is no limit. */
const limit = (text: string): Value => {
  const value = Number(text.trim());
  return Number.isFinite(value) && value < 2 ** 62 ? value : null;
};

const counter = (text: string): Value => Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? NaN);
const lines = (text: string): Value => text.split('\n').filter((line) => line !== '').length;

const QUESTIONS: Partial<Record<FactName, Question>> = {
  'cgroup.memory.limit': {
    controller: 'memory',
    v1: 'memory.limit_in_bytes',
    v2: 'memory.max',
    read: limit,
  },
  'cgroup.memory.oomKills': {
    controller: 'memory',
    v1: 'memory.oom_control',
    v2: 'memory.events',
    read: counter,
  },
  'cgroup.pids.limit': { controller: 'pids', v1: 'pids.max', v2: 'pids.max', read: limit },
  'cgroup.processes': { controller: 'pids', v1: 'cgroup.procs', v2: 'cgroup.procs', read: lines },
};

export const cgroupFact = (name: FactName, pid: number): Value => {
  const question = QUESTIONS[name];
  if (!question) return null;
  const { controller, v1, v2, read } = question;
  for (const folder of foldersOf(pid, controller)) {
    try {
      return read(readFileSync(join(folder.path, folder.version === 1 ? v1 : v2), 'utf8'));
    } catch {
      // Not the hierarchy that has this controller, or the container has just ended.
    }
  }
  return null;
};

/** Where the process's cgroups are, the hierarchy with the controller of its own first. /proc/<pid>/cgroup */
const foldersOf = (
  pid: number,
  controller: string,
): readonly { readonly version: 1 | 2; readonly path: string }[] => {
  const memberships = textOf(`/proc/${pid}/cgroup`)
    .split('\n')
    .flatMap((line) => {
      const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      return controllers === undefined || path === undefined
        ? []
        : [{ controllers: controllers.split(','), path }];
    });
  return memberships
    .filter(({ controllers }) => controllers.includes(controller) || controllers.join('') === '')
    .toSorted((a, b) => b.controllers.join('').length - a.controllers.join('').length)
    .flatMap(({ controllers, path }) => {
      const version = controllers.join('') === '' ? 2 : 1;
      return mountsOf(version, controller).map(({ root, point }) => ({
        version: version as 1 | 2,
        path: join(point, path.startsWith(root) ? path.slice(root.length) : path),
      }));
    });
};

interface Mount {
  /** Which folder of the hierarchy it shows: in a container it may be the container's own. */
  readonly root: string;
  readonly point: string;
}

/** /proc/self/mountinfo: `… <root> <mount point> … - cgroup[2] <source> <options with the controllers>` */
const mountsOf = (version: 1 | 2, controller: string): readonly Mount[] =>
  textOf('/proc/self/mountinfo')
    .split('\n')
    .flatMap((line) => {
      const [left = '', right = ''] = line.split(' - ');
      const [type, , options = ''] = right.split(' ');
      const fits =
        version === 2
          ? type === 'cgroup2'
          : type === 'cgroup' && options.split(',').includes(controller);
      const [, , , root = '/', point = ''] = left.split(' ');
      return fits ? [{ root: root === '/' ? '' : root, point }] : [];
    });

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
