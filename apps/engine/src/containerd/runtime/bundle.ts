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
  chmod,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { formatTraceparent, parseTraceparent, type SpanContext } from '../../tracing/context.ts';
import { alreadyExists } from '../errors.ts';
import { validateIdentifier } from '../identifier.ts';
import { unmountBelow, type Unmounter } from './mounts.ts';

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

  /** A new bundle. Precondition: no task of that name lives. */
  static async create(
    folders: BundleFolders,
    { namespace, id, config }: { namespace: string; id: string; config: Uint8Array },
  ): Promise<Bundle> {
    const bundle = new Bundle(folders, validateIdentifier(namespace), validateIdentifier(id));
    await mkdir(dirname(bundle.path), { recursive: true, mode: 0o711 });
    try {
      await mkdir(bundle.path, { mode: 0o700 });
    } catch (error) {
      throw alreadyExists(`mkdir ${bundle.path}: file exists`, { cause: error });
    }
    try {
      await rm(bundle.#work, { recursive: true, force: true });
      await mkdir(bundle.#work, { recursive: true, mode: 0o711 });
      await mkdir(bundle.rootfs, { mode: 0o711 });
      // The container's root is reached through here by a user that is not root, whatever our umask is.
      await chmod(bundle.rootfs, 0o711);
      await symlink(bundle.#work, join(bundle.path, 'work'));
      await writeFile(join(bundle.path, 'config.json'), config, { mode: 0o600 });
      return bundle;
    } catch (error) {
      await rm(bundle.path, { recursive: true, force: true });
      await rm(bundle.#work, { recursive: true, force: true });
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

  async write(name: string, content: string): Promise<void> {
    const path = join(this.path, name);
    await writeFile(`${path}.new`, content, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  /** Undefined when there is no such file. */
  async read(name: string): Promise<string | undefined> {
    return readFile(join(this.path, name), 'utf8').catch(() => undefined);
  }

  async writeContext(context: SpanContext | undefined): Promise<void> {
    if (context) await this.write('traceparent', formatTraceparent(context));
  }

  async readContext(): Promise<SpanContext | undefined> {
    return parseTraceparent(await this.read('traceparent'));
  }

  /** Postcondition: nothing is mounted below it, and the name is free again at once. */
  async delete(unmounter: Unmounter): Promise<void> {
    unmountBelow(this.rootfs, unmounter);
    // rmdir, not rm -r: if something were still mounted here, its files would be the container's.
    await rmdir(this.rootfs).catch(ignoreMissing);
    const work = await readlink(join(this.path, 'work')).catch(() => this.#work);
    await removeAtOnce(this.path);
    if (work === this.#work) await removeAtOnce(work);
  }
}

/** A rename frees the name; the files under a hidden name can go slowly. */
const removeAtOnce = async (path: string): Promise<void> => {
  const hidden = join(dirname(path), `.${basename(path)}`);
  await rm(hidden, { recursive: true, force: true });
  try {
    await rename(path, hidden);
  } catch (error) {
    ignoreMissing(error);
    return;
  }
  await rm(hidden, { recursive: true, force: true });
};

const ignoreMissing = (error: unknown): void => {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
};

const names = async (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
