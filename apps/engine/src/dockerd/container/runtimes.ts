/**
 * What `docker run --runtime NAME` may name: a runtime that was added by its path, the stock one, or a shim by the name
 * that containerd gives it. Upstream: moby daemon/runtime_unix.go, daemon/config/opts.go (RuntimeOpt).
 */
import { create, toBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { EngineError } from '../../protocol/errdefs.ts';
import { OptionsSchema } from '../../protocol/gen/containerd/runc-options_pb.ts';
import { DEFAULT_RUNTIME } from './runtime.ts';

const STOCK = 'runc';

/** What containerd is told: which shim, and what that shim is told in turn. */
export interface Runtime {
  readonly shim: string;
  readonly options: Pick<Any, 'typeUrl' | 'value'> | undefined;
}

export interface RuntimeOptions {
  /** NAME=PATH, as often as there are. */
  readonly added: readonly string[];
  readonly defaultName: string;
  /** Of the stock runtime and of the added ones. */
  readonly shim: string;
  /** Where shims that are not ours have a runtime keep its state. */
  readonly stateRoot: string;
}

const bad = (words: string): EngineError => new EngineError('invalid_argument', words);

const parseAdded = (values: readonly string[]): ReadonlyMap<string, string> => {
  const added = new Map<string, string>();
  for (const value of values) {
    const complain = (words: string): EngineError =>
      bad(`invalid argument "${value}" for "--add-runtime" flag: ${words}`);
    const [, key = '', path = ''] = /^([^=]*)=(.*)$/s.exec(value) ?? [];
    const name = key.trim().toLowerCase();
    if (name === '' || path.trim() === '') throw complain(`invalid runtime argument: ${value}`);
    if (name === STOCK) throw complain(`runtime name '${STOCK}' is reserved`);
    if (added.has(name)) throw complain(`runtime '${name}' was already defined`);
    added.set(name, path.trim());
  }
  return added;
};

/** Two dots are two words at least, as in `io.containerd.runc.v2`; containerd knows whether there is such a shim. */
const isShimName = (name: string): boolean => /^[\w-]+(\.[\w-]+)+$/.test(name);

export class Runtimes {
  readonly defaultName: string;
  readonly #added: ReadonlyMap<string, string>;
  readonly #options: RuntimeOptions;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.#added = parseAdded(options.added);
    this.defaultName = options.defaultName;
    if (!this.#has(this.defaultName))
      throw bad(`specified default runtime '${this.defaultName}' does not exist`);
  }

  /** Precondition of a container, said before anything of it is made. */
  check(name: string): void {
    if (name !== '' && !this.#has(name)) throw bad(`unknown or invalid runtime name: ${name}`);
  }

  get(name: string): Runtime {
    this.check(name);
    const chosen = name || this.defaultName;
    const binary = this.#added.get(chosen);
    const shim = binary !== undefined || chosen === STOCK ? this.#options.shim : chosen;
    const isPlain = binary === undefined && shim === DEFAULT_RUNTIME;
    return { shim, options: isPlain ? undefined : this.#optionsFor(shim, binary ?? '') };
  }

  /** As `docker info` lists them. */
  list(): Readonly<Record<string, { readonly path: string }>> {
    return {
      [DEFAULT_RUNTIME]: { path: STOCK },
      [STOCK]: { path: STOCK },
      ...Object.fromEntries([...this.#added].map(([name, path]) => [name, { path }])),
    };
  }

  #has(name: string): boolean {
    return name === STOCK || this.#added.has(name) || isShimName(name);
  }

  /** Our own shim keeps the state beside containerd's socket; others would in a folder of the whole machine. */
  #optionsFor(shim: string, binaryName: string): Runtime['options'] {
    const root = shim === DEFAULT_RUNTIME ? '' : this.#options.stateRoot;
    return {
      typeUrl: OptionsSchema.typeName,
      value: toBinary(OptionsSchema, create(OptionsSchema, { binaryName, root })),
    };
  }
}
