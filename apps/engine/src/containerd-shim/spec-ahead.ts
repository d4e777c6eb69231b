/**
 * config.json lies ready when a shim is claimed, and the request for the container is a moment away: time to read it,
 * which takes some milliseconds. What has changed meanwhile is read again.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../libcontainer/config-file.ts';
import type { RuntimeSpec } from '../protocol/oci/runtime-spec.ts';

export class SpecAhead {
  readonly #readSpec: (bundle: string) => RuntimeSpec;
  #isTaken = false;
  #read: { readonly stamp: string; readonly spec: RuntimeSpec | undefined } | undefined;

  constructor(readSpec: (bundle: string) => RuntimeSpec = readConfig) {
    this.#readSpec = readSpec;
  }

  /** Precondition: nobody waits. */
  look(bundle: string): void {
    if (!this.#isTaken) this.#read = { stamp: stampOf(bundle), spec: this.#specIn(bundle) };
  }

  /** Undefined where config.json cannot be read: the runtime says why. */
  take(bundle: string): RuntimeSpec | undefined {
    this.#isTaken = true;
    const read = this.#read;
    this.#read = undefined;
    return read?.stamp === stampOf(bundle) ? read.spec : this.#specIn(bundle);
  }

  #specIn(bundle: string): RuntimeSpec | undefined {
    try {
      return this.#readSpec(bundle);
    } catch {
      return undefined;
    }
  }
}

/** Another one when it is another file, or was written since, to the tick of the kernel's clock. Empty when there is none. */
const stampOf = (bundle: string): string => {
  const path = join(bundle, 'config.json');
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found ? [path, found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join() : '';
};
