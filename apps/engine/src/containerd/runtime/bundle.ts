/**
 * The OCI bundle of a task: a folder with `config.json` and `rootfs/`, which the shim and runc work in.
 *
 *   <state>/io.containerd.runtime.v2.task/<namespace>/<id>/
 *     config.json        the OCI runtime specification, as the client gave it with the container
 *     rootfs/            empty; the shim mounts the snapshot here
 *     work               → <root>/io.containerd.runtime.v2.task/<namespace>/<id>, for what must outlive a reboot
 *     bootstrap.json     where the shim listens (written by containerd), `address` the same (written by the shim)
 *     shim-binary-path   which shim to call for the `delete` action after a restart
 *     traceparent        the trace that made the task, for events that come much later
 *
 * Upstream: containerd core/runtime/v2/bundle.go.
 */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatTraceparent, parseTraceparent, type SpanContext } from '../../tracing/context.ts';
import { alreadyExists } from '../errors.ts';
import { validateIdentifier } from '../identifier.ts';
import { unmountBelow, type Unmounter } from './mounts.ts';
import { ignoreMissing, removeAtOnce } from './remove-at-once.ts';

export const RUNTIME_FOLDER = 'io.containerd.runtime.v2.task';

export interface BundleFolders {
  /** Of what a reboot may take away: `--state`. */
  readonly state: string;
  /** Of what it may not: `--root`. */
  readonly root: string;
}

export class Bundle {
  readonly namespace: string;
  readonly id: string;
  readonly path: string;
  readonly #work: string;

  private constructor(folders: BundleFolders, namespace: string, id: string) {
    this.namespace = namespace;
    this.id = id;
    this.path = join(folders.state, RUNTIME_FOLDER, namespace, id);
    this.#work = join(folders.root, RUNTIME_FOLDER, namespace, id);
  }

  get rootfs(): string {
    return join(this.path, 'rootfs');
  }

  /**
   * A new bundle. Precondition: no task of that name lives.
   * Synchronous: a few calls into the page cache take less time than handing them to other threads.
   */
  static create(
    folders: BundleFolders,
    { namespace, id, config }: { namespace: string; id: string; config: Uint8Array },
  ): Bundle {
    const bundle = new Bundle(folders, validateIdentifier(namespace), validateIdentifier(id));
    mkdirSync(dirname(bundle.path), { recursive: true, mode: 0o711 });
    try {
      mkdirSync(bundle.path, { mode: 0o700 });
    } catch (error) {
      throw alreadyExists(`mkdir ${bundle.path}: file exists`, { cause: error });
    }
    try {
      rmSync(bundle.#work, { recursive: true, force: true });
      mkdirSync(bundle.#work, { recursive: true, mode: 0o711 });
      mkdirSync(bundle.rootfs, { mode: 0o711 });
      // The container's root is reached through here by a user that is not root, whatever our umask is.
      chmodSync(bundle.rootfs, 0o711);
      symlinkSync(bundle.#work, join(bundle.path, 'work'));
      writeFileSync(join(bundle.path, 'config.json'), config, { mode: 0o600 });
      openTo(bundle.path, remappedRoot(config));
      return bundle;
    } catch (error) {
      rmSync(bundle.path, { recursive: true, force: true });
      rmSync(bundle.#work, { recursive: true, force: true });
      throw error;
    }
  }

  /** Bundles that an earlier containerd left. Half-deleted ones (hidden names) are swept away. */
  static async list(folders: BundleFolders): Promise<Bundle[]> {
    const top = join(folders.state, RUNTIME_FOLDER);
    const bundles: Bundle[] = [];
    for (const namespace of await names(top)) {
      for (const id of await names(join(top, namespace))) {
        if (id.startsWith('.'))
          await rm(join(top, namespace, id), { recursive: true, force: true });
        else bundles.push(new Bundle(folders, namespace, id));
      }
    }
    return bundles;
  }

  write(name: string, content: string): void {
    const path = join(this.path, name);
    writeFileSync(`${path}.new`, content, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  /** Undefined when there is no such file. */
  read(name: string): string | undefined {
    try {
      return readFileSync(join(this.path, name), 'utf8');
    } catch {
      return undefined;
    }
  }

  writeContext(context: SpanContext | undefined): void {
    if (context) this.write('traceparent', formatTraceparent(context));
  }

  readContext(): SpanContext | undefined {
    return parseTraceparent(this.read('traceparent'));
  }

  /** The pid of the container's first process, as the shim wrote it down; 0 when it did not. */
  initPid(): number {
    const text = this.read('init.pid')?.trim() ?? '';
    return /^[0-9]+$/.test(text) ? Number(text) : 0;
  }

  /** Postcondition: nothing is mounted below it, and the name is free again. */
  delete(unmounter: Unmounter): void {
    this.#removeRoot(unmounter);
    const work = this.#workLink();
    removeAtOnce(this.path);
    if (work === this.#work) removeAtOnce(work);
  }

  /** rmdir, not rm -r: if something were still mounted here, its files would be the container's. */
  #removeRoot(unmounter: Unmounter): void {
    const remove = () => ignoreMissing(() => rmdirSync(this.rootfs));
    try {
      // Mostly the shim has unmounted it, and to look for more would be to read every mount of the host.
      remove();
    } catch {
      unmountBelow(this.rootfs, unmounter);
      remove();
    }
  }

  #workLink(): string {
    try {
      return readlinkSync(join(this.path, 'work'));
    } catch {
      return this.#work;
    }
  }
}

/** The root of a user namespace of its own must get through the bundle to its root filesystem, and nobody else. */
const openTo = (path: string, group: number | undefined): void => {
  if (group === undefined) return;
  chownSync(path, 0, group);
  chmodSync(path, 0o710);
};

/** The host's id of the group 0 of the container, when it is another one. */
const remappedRoot = (config: Uint8Array): number | undefined => {
  const text = Buffer.from(config).toString('utf8');
  // Hardly any has one, and this is on everybody's way.
  if (!text.includes('"gidMappings"')) return undefined;
  const { linux } = JSON.parse(text) as {
    linux?: { gidMappings?: { containerID: number; hostID: number }[] };
  };
  const host = linux?.gidMappings?.find(({ containerID }) => containerID === 0)?.hostID;
  return Number.isInteger(host) && host !== 0 ? host : undefined;
};

const names = async (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
