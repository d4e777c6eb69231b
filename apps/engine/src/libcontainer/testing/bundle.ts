/**
 * A real container for the kernel tests: busybox as root filesystem, Docker's way of asking, everything removable.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { native } from '../../native/load.ts';
import type { LinuxCapabilities, RuntimeSpec } from '../../protocol/oci/runtime-spec.ts';
import type { TraceEvent } from '../../protocol/trace/event.ts';
import type { Exporter } from '../../tracing/exporter.ts';
import { Tracer } from '../../tracing/tracer.ts';
import { createContainer, type CreatedContainer } from '../create-container.ts';
import { deleteContainer } from '../delete-container.ts';
import { type HostFacts, readHostFacts } from '../host-facts.ts';
import { startContainer } from '../start-container.ts';

/** What Docker grants by default. */
export const DOCKER_CAPABILITIES = (
  'CAP_CHOWN CAP_DAC_OVERRIDE CAP_FSETID CAP_FOWNER CAP_MKNOD CAP_NET_RAW CAP_SETGID CAP_SETUID CAP_SETFCAP CAP_SETPCAP ' +
  'CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_KILL CAP_AUDIT_WRITE'
).split(' ');

export const capabilities = (names: readonly string[]): LinuxCapabilities => ({
  bounding: [...names],
  effective: [...names],
  permitted: [...names],
});

const MASKED =
  '/proc/asound /proc/acpi /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/scsi /sys/firmware'.split(
    ' ',
  );
const READONLY = '/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger'.split(' ');

export const dockerMounts = (): NonNullable<RuntimeSpec['mounts']> => [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  {
    destination: '/sys',
    type: 'sysfs',
    source: 'sysfs',
    options: ['nosuid', 'noexec', 'nodev', 'ro'],
  },
  {
    destination: '/sys/fs/cgroup',
    type: 'cgroup',
    source: 'cgroup',
    options: ['ro', 'nosuid', 'noexec', 'nodev'],
  },
  {
    destination: '/dev/mqueue',
    type: 'mqueue',
    source: 'mqueue',
    options: ['nosuid', 'noexec', 'nodev'],
  },
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=67108864'],
  },
];

type Linux = NonNullable<RuntimeSpec['linux']>;
type Process = NonNullable<RuntimeSpec['process']>;

export interface SpecChanges {
  readonly process?: Partial<Process>;
  readonly linux?: Partial<Linux>;
  readonly spec?: Partial<RuntimeSpec>;
}

/** Hands out one group of cgroups, one folder of state and one rootfs; takes all of it back in `close`. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'libcontainer-'));
  readonly root = join(this.folder, 'runc');
  readonly cgroupParent = `/engine-room-test-${process.pid}`;
  readonly events: TraceEvent[] = [];
  readonly tracer: Tracer;
  #count = 0;
  readonly #containers = new Set<string>();

  constructor() {
    native.setChildSubreaper();
    const exporter: Exporter = {
      export: (event) => void this.events.push(event),
      flush: () => Promise.resolve(),
      close: () => undefined,
    };
    this.tracer = new Tracer('shim', exporter);
  }

  /** A bundle with its own rootfs. */
  bundle(
    args: readonly string[],
    changes: SpecChanges = {},
  ): {
    readonly id: string;
    readonly path: string;
    readonly rootfs: string;
    readonly spec: RuntimeSpec;
  } {
    const id = `c${++this.#count}-${process.pid}`;
    const path = join(this.folder, id);
    const rootfs = join(path, 'rootfs');
    mkdirSync(rootfs, { recursive: true });
    furnish(rootfs);
    const spec = this.spec(id, args, changes);
    writeFileSync(join(path, 'config.json'), JSON.stringify(spec));
    return { id, path, rootfs, spec };
  }

  spec(id: string, args: readonly string[], { process, linux, spec }: SpecChanges): RuntimeSpec {
    return {
      ociVersion: '1.0.2',
      root: { path: 'rootfs' },
      hostname: 'box',
      mounts: dockerMounts(),
      process: {
        user: { uid: 0, gid: 0, additionalGids: [] },
        args: [...args],
        env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
        cwd: '/',
        capabilities: capabilities(DOCKER_CAPABILITIES),
        ...process,
      },
      linux: {
        namespaces: [
          { type: 'mount' },
          { type: 'network' },
          { type: 'uts' },
          { type: 'pid' },
          { type: 'ipc' },
        ],
        cgroupsPath: `${this.cgroupParent}/${id}`,
        resources: { devices: [{ allow: false, access: 'rwm' }] },
        maskedPaths: MASKED,
        readonlyPaths: READONLY,
        ...linux,
      },
      ...spec,
    };
  }

  async create(
    bundle: { readonly id: string; readonly path: string },
    stdio?: readonly [number, number, number],
    facts: HostFacts = readHostFacts(),
  ): Promise<CreatedContainer> {
    const nothing = openSync('/dev/null', 'r+');
    try {
      const created = await createContainer({
        native,
        facts,
        tracer: this.tracer,
        root: this.root,
        id: bundle.id,
        bundle: bundle.path,
        stdio: stdio ?? [nothing, nothing, nothing],
      });
      this.#containers.add(bundle.id);
      return created;
    } finally {
      closeSync(nothing);
    }
  }

  start(id: string): Promise<void> {
    return startContainer({ native, tracer: this.tracer, root: this.root, id });
  }

  run(args: readonly string[], changes: SpecChanges = {}, facts?: HostFacts) {
    return this.runBundle(this.bundle(args, changes), facts);
  }

  /** Runs the container to its end, as the shim does. */
  async runBundle(
    bundle: { readonly id: string; readonly path: string },
    facts?: HostFacts,
  ): Promise<{ readonly output: string; readonly code: number }> {
    const file = join(bundle.path, 'output');
    const [input, output] = [openSync('/dev/null', 'r'), openSync(file, 'a')];
    try {
      const created = await this.create(bundle, [input, output, output], facts);
      const exited = this.exitOf(created);
      await this.start(bundle.id);
      const code = await exited;
      await this.delete(bundle.id);
      return { output: readFileSync(file, 'utf8'), code };
    } finally {
      closeSync(input);
      closeSync(output);
    }
  }

  /** Waits for init by its pidfd and collects it. */
  exitOf(created: CreatedContainer): Promise<number> {
    return new Promise((resolve) => {
      const stop = native.watchReadable(created.pidfd, () => {
        const status = native.reap(created.pid);
        if (!status) return;
        stop();
        native.close(created.pidfd);
        resolve(status.code);
      });
    });
  }

  async delete(id: string, force = false): Promise<void> {
    await deleteContainer({ native, tracer: this.tracer, root: this.root, id, force });
    this.#containers.delete(id);
  }

  async close(): Promise<void> {
    for (const id of this.#containers) await this.delete(id, true);
    for (let pid = native.peekExitedChild(); pid !== null; pid = native.peekExitedChild())
      native.reap(pid);
    for (const { mountPoint } of readHostFacts().hierarchies) {
      const parent = join(mountPoint, this.cgroupParent);
      if (existsSync(parent)) rmdirSync(parent);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const furnish = (rootfs: string): void => {
  for (const folder of ['bin', 'etc', 'tmp', 'root', 'proc', 'sys', 'dev'])
    mkdirSync(join(rootfs, folder));
  chmodSync(join(rootfs, 'tmp'), 0o1777);
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'));
  const { stdout } = spawnSync('/bin/busybox', ['--list'], { encoding: 'utf8' });
  for (const name of stdout.split('\n').filter((name) => name !== '' && name !== 'busybox'))
    symlinkSync('busybox', join(rootfs, 'bin', name));
  writeFileSync(
    join(rootfs, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n',
  );
};

/** proc_pid_status(5) */
export const status = (pid: number): ReadonlyMap<string, string> =>
  new Map(
    readFileSync(`/proc/${pid}/status`, 'utf8')
      .split('\n')
      .map((line) => {
        const [name = '', ...value] = line.split(':');
        return [name, value.join(':').trim()];
      }),
  );

/** What must be the same before and after. Others on the machine mount and unmount, too: only what is below `folder` counts. */
export const traces = (
  cgroupParent: string,
  folder: string,
): {
  readonly mounts: number;
  readonly cgroups: readonly string[];
  readonly descriptors: number;
} => ({
  mounts: readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.split(' ')[4]?.startsWith(folder)).length,
  cgroups: readHostFacts().hierarchies.flatMap(({ mountPoint }) => {
    const parent = join(mountPoint, cgroupParent);
    return existsSync(parent)
      ? readdirSync(parent, { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map(({ name }) => name)
      : [];
  }),
  descriptors: readdirSync('/proc/self/fd').length,
});
