/**
 * What the shim asks of the container's cgroup while the container runs: its pids, its counters, the freezer.
 * On version 1 each controller has a hierarchy of its own, on version 2 there is one. cgroups(7)
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import type { Cgroup } from '../libcontainer/cgroups/paths.ts';
import { hierarchiesOf, readHostFacts, type CgroupHierarchy } from '../libcontainer/host-facts.ts';

const readOrNull = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
};

/** `oom_kill 3` in a file of lines "name number". */
const counterIn = (text: string | null, name: string): number =>
  Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1] ?? 0);

export class ContainerCgroup {
  readonly #hierarchies: readonly CgroupHierarchy[];

  private constructor(hierarchies: readonly CgroupHierarchy[]) {
    this.#hierarchies = hierarchies;
  }

  /**
   * The cgroups that a process is in. They are asked for once: after the process is gone, /proc has forgotten them.
   * `mounted`: of the host's facts, where somebody has read them already.
   */
  static of(pid: number, mounted = readHostFacts().hierarchies): ContainerCgroup {
    return new ContainerCgroup(hierarchiesOf(mounted, readFileSync(`/proc/${pid}/cgroup`, 'utf8')));
  }

  /** The unified hierarchy of version 2, when controllers live there. */
  get isVersion2(): boolean {
    return this.#hierarchies.every(
      ({ version, controllers }) => version === 2 || controllers.length === 0,
    );
  }

  /** As the plan compiler names them. */
  get cgroups(): readonly Cgroup[] {
    return this.#hierarchies.map((hierarchy) => ({
      hierarchy,
      inner: hierarchy.ownPath,
      path: join(hierarchy.mountPoint, hierarchy.ownPath),
    }));
  }

  /** Directory of the container in the hierarchy of this controller, or null. */
  directoryOf(controller: string): string | null {
    const hierarchy = this.isVersion2
      ? this.#hierarchies.find(({ version }) => version === 2)
      : this.#hierarchies.find(
          ({ version, controllers }) => version === 1 && controllers.includes(controller),
        );
    return hierarchy ? join(hierarchy.mountPoint, hierarchy.ownPath) : null;
  }

  /** Text of a file of a controller, or null where this kernel has none. */
  read(controller: string, file: string): string | null {
    const directory = this.directoryOf(controller);
    return directory === null ? null : readOrNull(join(directory, file));
  }

  /** All pids in the host's pid namespace, also of cgroups that the container made inside its own. */
  pids(): readonly number[] {
    const directory =
      this.directoryOf('pids') ?? this.directoryOf('memory') ?? this.directoryOf('cpu');
    return directory === null ? [] : pidsBelow(directory);
  }

  /** How often the kernel has killed here for want of memory. */
  oomKills(): number {
    return this.isVersion2
      ? counterIn(this.read('memory', 'memory.events'), 'oom_kill')
      : counterIn(this.read('memory', 'memory.oom_control'), 'oom_kill');
  }

  /** Resolves when all processes stand still (or run again). */
  async setFrozen(isFrozen: boolean): Promise<void> {
    const directory = this.directoryOf('freezer');
    if (directory === null)
      throw new EngineError('failed_precondition', 'cgroup freezer is not available');
    const [file, value, report, wanted] = this.isVersion2
      ? ['cgroup.freeze', isFrozen ? '1' : '0', 'cgroup.events', isFrozen ? 'frozen 1' : 'frozen 0']
      : [
          'freezer.state',
          isFrozen ? 'FROZEN' : 'THAWED',
          'freezer.state',
          isFrozen ? 'FROZEN' : 'THAWED',
        ];
    // Freezing takes a moment (version 1 says FREEZING meanwhile and must be asked again), and nothing signals its end.
    for (let attempt = 0; attempt < FREEZE_ATTEMPTS; attempt += 1) {
      writeFile(join(directory, file), value);
      if (readOrNull(join(directory, report))?.split('\n').includes(wanted)) return;
      await new Promise((resolve) => setTimeout(resolve, FREEZE_PAUSE_MS));
    }
    if (isFrozen) writeFile(join(directory, file), this.isVersion2 ? '0' : 'THAWED');
    throw new EngineError('unknown', `unable to ${isFrozen ? 'freeze' : 'thaw'}`);
  }
}

const FREEZE_ATTEMPTS = 1000;
const FREEZE_PAUSE_MS = 5;

const writeFile = (path: string, value: string): void => {
  try {
    writeFileSync(path, value);
  } catch (error) {
    throw new EngineError('unknown', messageOf(error), { cause: error });
  }
};

const pidsBelow = (directory: string): number[] => {
  const own = (readOrNull(join(directory, 'cgroup.procs')) ?? '')
    .split('\n')
    .filter(Boolean)
    .map(Number);
  try {
    const children = readdirSync(directory, { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    return [...own, ...children.flatMap(({ name }) => pidsBelow(join(directory, name)))];
  } catch {
    return own;
  }
};
