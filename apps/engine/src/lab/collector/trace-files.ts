/** The finished traces on disk, one file each. A file is replaced whole, so a crash leaves the old one or the new one. */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TraceFileHeader } from '../../protocol/trace/stream.ts';
import { decodeTraceFile, encodeTraceFile, readHeader } from './trace-file.ts';

const TRACE_ID = /^[0-9a-f]{32}$/;

export class TraceFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Oldest first; a damaged file is left alone and not listed. */
  async headers(): Promise<readonly TraceFileHeader[]> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith('.trace.gz'));
    const dated = await Promise.all(
      names.map(async (name) => ({ name, at: (await stat(join(this.#directory, name))).mtimeMs })),
    );
    dated.sort((a, b) => a.at - b.at);
    const headers: TraceFileHeader[] = [];
    for (const { name } of dated) {
      const header = await readHeader(join(this.#directory, name)).catch(() => null);
      if (header && `${header.summary.traceId}.trace.gz` === name) headers.push(header);
    }
    return headers;
  }

  read(traceId: string): Promise<Buffer> {
    return readFile(this.#pathOf(traceId));
  }

  async lines(traceId: string): Promise<readonly string[]> {
    return (await decodeTraceFile(await this.read(traceId))).lines;
  }

  async write(header: TraceFileHeader, lines: readonly string[]): Promise<void> {
    const { traceId } = header.summary;
    const packed = await encodeTraceFile(header, lines);
    const temporary = join(this.#directory, `.${traceId}.tmp`);
    await writeFile(temporary, packed, { mode: 0o600 });
    await rename(temporary, this.#pathOf(traceId));
  }

  async remove(traceId: string): Promise<void> {
    await rm(this.#pathOf(traceId), { force: true });
  }

  #pathOf(traceId: string): string {
    if (!TRACE_ID.test(traceId)) throw new Error(`not a trace id: ${traceId}`);
    return join(this.#directory, `${traceId}.trace.gz`);
  }
}
