/**
 * To read a specification takes some milliseconds. containerd knows it when the container is made, a moment before its task
 * is, and tells a spare: time to read it. What stands in the bundle decides all the same.
 */
import type { RuntimeSpec } from '../protocol/oci/runtime-spec.ts';
import { parseConfig, readConfigText } from '../libcontainer/config-file.ts';

export class SpecAhead {
  readonly #parse: (text: string) => RuntimeSpec;
  #foreseen: { readonly text: string; readonly spec: RuntimeSpec | undefined } | undefined;

  constructor(parse: (text: string) => RuntimeSpec = parseConfig) {
    this.#parse = parse;
  }

  /** `text`: what config.json will probably say. Precondition: nobody waits. */
  foresee(text: string): void {
    this.#foreseen = { text, spec: this.#specIn(text) };
  }

  /** Undefined where config.json cannot be read: the runtime says why. */
  take(bundle: string): RuntimeSpec | undefined {
    const foreseen = this.#foreseen;
    this.#foreseen = undefined;
    const text = textIn(bundle);
    if (text === undefined) return undefined;
    return text === foreseen?.text ? foreseen.spec : this.#specIn(text);
  }

  #specIn(text: string): RuntimeSpec | undefined {
    try {
      return this.#parse(text);
    } catch {
      return undefined;
    }
  }
}

const textIn = (bundle: string): string | undefined => {
  try {
    return readConfigText(bundle);
  } catch {
    return undefined;
  }
};
