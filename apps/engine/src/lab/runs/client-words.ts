/**
 * What the client itself says, apart from what it passes on of the container: `docker ps` prints a table of its own,
 * `docker run` prints the container's output and, around it, its own complaints. The container's bytes are in the
 * trace already (as `output`), so only the client's own are added.
 */
export interface Chunk {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
  readonly mono: string;
}

const OWN_LIMIT_BYTES = 256 * 1024;

/** Collects until it is known which bytes are whose. */
export class ClientWords {
  readonly #passesOn: boolean;
  readonly #onOwn: (chunk: Chunk) => void;
  readonly #waiting: Chunk[] = [];
  #waitingBytes = 0;
  #toldBytes = 0;
  #containerMaySpeak = false;

  /** `passesOn`: the container's output comes out of the client too. */
  constructor(passesOn: boolean, onOwn: (chunk: Chunk) => void) {
    this.#passesOn = passesOn;
    this.#onOwn = onOwn;
  }

  /** From now on a byte may be the container's: the client has asked for its start. */
  containerMaySpeak(): void {
    this.#containerMaySpeak = true;
  }

  add(chunk: Chunk): void {
    if (!this.#passesOn || !this.#containerMaySpeak) this.#tell(chunk);
    else if (this.#waitingBytes < OWN_LIMIT_BYTES) {
      this.#waiting.push(chunk);
      this.#waitingBytes += chunk.bytes.length;
    }
  }

  /** `container` is what the container wrote to stderr, as far as the trace has it; stdout is its alone. */
  finish(container: Buffer): void {
    const mine = this.#waiting.filter(({ stream }) => stream === 'stderr');
    const [first] = mine;
    if (!first) return;
    const all = Buffer.concat(mine.map(({ bytes }) => bytes));
    const at = container.length === 0 ? 0 : all.indexOf(container);
    const own =
      at >= 0
        ? Buffer.concat([all.subarray(0, at), all.subarray(at + container.length)])
        : ownLines(all);
    if (own.length > 0)
      this.#tell({ stream: 'stderr', bytes: own, mono: mine.at(-1)?.mono ?? first.mono });
  }

  #tell(chunk: Chunk): void {
    if (this.#toldBytes >= OWN_LIMIT_BYTES) return;
    const bytes = chunk.bytes.subarray(0, OWN_LIMIT_BYTES - this.#toldBytes);
    this.#toldBytes += bytes.length;
    this.#onOwn({ ...chunk, bytes });
  }
}

/** When the bytes cannot be told apart: the lines that begin as the client's own do. */
const ownLines = (all: Buffer): Buffer => {
  const lines = all.toString('utf8').split('\n');
  const from = lines.findIndex((line) => line.startsWith('docker: '));
  return Buffer.from(from < 0 ? '' : lines.slice(from).join('\n'));
};
