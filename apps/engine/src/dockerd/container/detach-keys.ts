/**
 * The keys that leave a terminal without ending its program: ctrl-p, ctrl-q, or `--detach-keys`.
 * Upstream: moby/term ascii.go and proxy.go. Reference: https://docs.docker.com/reference/cli/docker/container/attach/
 */
import { EngineError } from '../../protocol/errdefs.ts';

const DEFAULT_KEYS = Buffer.from([0x10, 0x11]);
/** What a terminal makes of ctrl and one of these is its place in this row. ascii(7) */
const CONTROL = '@abcdefghijklmnopqrstuvwxyz[\\]^_';
const DELETE = 0x7f;

const codeOf = (key: string): number | null => {
  if (key.length === 1) return key.charCodeAt(0) & 0xff;
  if (key === 'DEL') return DELETE;
  const code = key.startsWith('ctrl-') && key.length === 6 ? CONTROL.indexOf(key.charAt(5)) : -1;
  return code < 0 ? null : code;
};

/** `ctrl-a,b`; empty for Docker's own. */
export const parseDetachKeys = (text: string): Buffer => {
  if (text === '') return DEFAULT_KEYS;
  const codes = text.split(',').map(codeOf);
  const known = codes.filter((code) => code !== null);
  if (known.length < codes.length) {
    throw new EngineError('invalid_argument', `Invalid detach keys (${text}) provided`);
  }
  return Buffer.from(known);
};

/** Looks for the keys in what is typed, however it comes in pieces. */
export class DetachKeys {
  readonly #keys: Buffer;
  /** So many of them were typed; they are held back until it is clear what they mean. */
  #matched = 0;

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /** What is for the program, and whether the user leaves now. */
  read(typed: Buffer): { readonly passed: Buffer; readonly isLeaving: boolean } {
    const passed: number[] = [];
    for (const byte of typed) {
      if (byte !== this.#keys[this.#matched]) {
        passed.push(...this.#keys.subarray(0, this.#matched));
        this.#matched = 0;
      }
      if (byte !== this.#keys[this.#matched]) {
        passed.push(byte);
        continue;
      }
      this.#matched += 1;
      if (this.#matched < this.#keys.length) continue;
      this.#matched = 0;
      return { passed: Buffer.from(passed), isLeaving: true };
    }
    return { passed: Buffer.from(passed), isLeaving: false };
  }
}
