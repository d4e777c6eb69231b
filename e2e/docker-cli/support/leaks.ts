/** Counts what an engine must give back: mounts, cgroups, network namespaces, processes. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineAddress } from '../../support/engine.ts';

export interface Footprint {
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly networkNamespaces: number;
  /** Every process that belongs to the engine: by its command line or by its cgroup. */
  readonly processes: readonly string[];
}

export function footprint({ root, cgroupParent }: EngineAddress): Footprint {
  return {
    mounts: mountsBelow(root),
    cgroups: cgroupsBelow(cgroupParent),
    networkNamespaces: networkNamespaces(),
    processes: processesOf(root, cgroupParent),
  };
}

/** proc_pid_mountinfo(5), of each mount namespace that a process of the engine lives in and of our own. */
function mountsBelow(root: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.startsWith(root))
    .sort();
}

function cgroupsBelow(parent: string): string[] {
  const hierarchies = ['', ...readdirSync('/sys/fs/cgroup')];
  return hierarchies
    .map((hierarchy) => join('/sys/fs/cgroup', hierarchy, parent))
    .filter((path) => existsSync(path))
    .flatMap((path) =>
      readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? [join(path, entry.name)] : [],
      ),
    )
    .sort();
}

const pids = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/** A process may end between being listed and being asked. */
function orGone<Value>(ask: () => Value, gone: Value): Value {
  try {
    return ask();
  } catch {
    return gone;
  }
}

function networkNamespaces(): number {
  const held = pids().map((pid) => orGone(() => readlinkSync(`/proc/${pid}/ns/net`), ''));
  const bound = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => /net:\[\d+\]/.exec(line) ?? []);
  return new Set([...held, ...bound].filter((name) => name !== '')).size;
}

function processesOf(root: string, cgroupParent: string): string[] {
  return pids()
    .filter((pid) => Number(pid) !== process.pid)
    .flatMap((pid) => {
      const argv = orGone(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '')
        .replaceAll('\0', ' ')
        .trim();
      // Ended, and not yet collected by whoever is process 1 of the machine: that is not the engine's to do.
      if (argv === '') return [];
      const cgroup = orGone(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8'), '');
      return argv.includes(root) || cgroup.includes(`${cgroupParent}/`)
        ? [argv.split(' ')[0] ?? '']
        : [];
    })
    .sort();
}

export const openDescriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
