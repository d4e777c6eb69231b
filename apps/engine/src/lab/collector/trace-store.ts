/**
 * All traces: the growing ones in memory, the finished ones in files, the newest of both in the list.
 * Memory is bounded whatever the engine says: per trace, in total, and in number of files.
 */
import { messageOf } from '../../protocol/errdefs.ts';
import type { DroppedEvent, TraceEvent } from '../../protocol/trace/event.ts';
import type { TraceFileHeader, TraceSummary } from '../../protocol/trace/stream.ts';
import { isWorthTelling, newSummary, wallClockOffset } from './summary.ts';
import { decodeTraceFile, encodeTraceFile, newHeader } from './trace-file.ts';
import { TraceFiles } from './trace-files.ts';
import { overflowEvent, TraceLog } from './trace-log.ts';

export interface TraceStoreOptions {
  readonly directory: string;
  readonly keepFiles?: number;
  readonly memoryLimitBytes?: number;
  /** How long nothing may happen after the client's exit before the trace counts as ended. */
  readonly quietMs?: number;
  /** Whether the process is there; a trace of a living client is never given up. */
  readonly isAlive: (pid: number) => boolean;
}

export interface TraceListener {
  /** One event as JSON, with its `seq`. */
  onLine?(traceId: string, seq: number, line: string): void;
  onEvent?(traceId: string, seq: number, line: string, event: TraceEvent): void;
  onSummary?(summary: TraceSummary): void;
}

/** What the lab knows of a trace before anybody speaks of it. */
export interface Announcement {
  readonly title: string;
  readonly argv: readonly string[] | null;
  /** The client process. What the lab says of its life counts; others only guess the exit code. Null: it has none. */
  readonly clientPid: number | null;
  /** Whose it is; null: everybody's. */
  readonly learner: string | null;
}

const ABANDONED_AFTER_MS = 60_000;

export class TraceStore {
  readonly #files: TraceFiles;
  readonly #keepFiles: number;
  readonly #memoryLimitBytes: number;
  readonly #quietMs: number;
  readonly #isAlive: (pid: number) => boolean;
  /** In order of appearance. A log without lines is in its file only. */
  readonly #logs = new Map<string, TraceLog>();
  readonly #announced = new Map<string, Announcement>();
  readonly #ignored = new Set<string>();
  readonly #listeners = new Set<TraceListener>();
  readonly #saving = new Map<string, Promise<void>>();
  readonly #offset = wallClockOffset();
  readonly #timer: NodeJS.Timeout;

  constructor(options: TraceStoreOptions) {
    this.#files = new TraceFiles(options.directory);
    this.#keepFiles = options.keepFiles ?? 200;
    this.#memoryLimitBytes = options.memoryLimitBytes ?? 32 * 1024 * 1024;
    this.#quietMs = options.quietMs ?? 300;
    this.#isAlive = options.isAlive;
    this.#timer = setInterval(() => this.sweep(), Math.min(this.#quietMs, 250));
    this.#timer.unref();
  }

  /** Reads the list of recorded traces. */
  async load(): Promise<void> {
    for (const { summary, learner = null } of await this.#files.headers())
      this.#logs.set(summary.traceId, new TraceLog({ ...summary, state: 'ended' }, learner));
    await this.#prune();
  }

  listen(listener: TraceListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  announce(traceId: string, announcement: Announcement): void {
    this.#announced.set(traceId, announcement);
  }

  /** The lab's own questions to the engine are nobody's run. */
  ignore(traceId: string): void {
    this.#ignored.add(traceId);
  }

  /** `json`: where it is written down already, without a `seq`. */
  accept(event: TraceEvent, json?: string): void {
    if (this.#ignored.has(event.traceId) || this.#isGuess(event)) return;
    const known = this.#logs.get(event.traceId);
    const log = known ?? this.#begin(event);
    const before = log.summary;
    if (!log.append(event, json)) return;
    if (before.links !== log.summary.links) this.#inherit(log);
    if (before.state === 'ended') log.summary = { ...log.summary, state: 'running' };
    const line = log.lines.at(-1);
    if (line !== undefined) {
      for (const listener of this.#listeners) {
        listener.onLine?.(event.traceId, log.lastSeq, line);
        listener.onEvent?.(event.traceId, log.lastSeq, line, event);
      }
    }
    if (!known || isWorthTelling(before, log.summary)) this.#tell(log.summary);
  }

  /** A hole concerns every growing trace that its process took part in. */
  acceptDropped(dropped: DroppedEvent): void {
    const key = `${dropped.actor}/${dropped.pid}`;
    const concerned = new Set([dropped.traceId]);
    for (const [traceId, log] of this.#logs) {
      if (log.summary.state === 'running' && log.emitters.has(key)) concerned.add(traceId);
    }
    for (const traceId of concerned) this.accept({ ...dropped, traceId });
  }

  /** Newest first. */
  summaries(): readonly TraceSummary[] {
    return [...this.#logs.values()].map((log) => log.summary).reverse();
  }

  summary(traceId: string): TraceSummary | undefined {
    return this.#logs.get(traceId)?.summary;
  }

  /** A learner's own, or one from elsewhere: a command of a terminal, which is everybody's to watch. */
  maySee(traceId: string, learner: string): boolean {
    const owner = this.#logs.get(traceId)?.learner;
    return owner === null || owner === learner;
  }

  isOf(traceId: string, learner: string): boolean {
    return this.#logs.get(traceId)?.learner === learner;
  }

  /** The span to which everything in the trace belongs; null when it is not (or no longer) known. */
  rootSpanOf(traceId: string): string | null {
    return this.#logs.get(traceId)?.rootSpanId ?? null;
  }

  runningTraceIds(): readonly string[] {
    return [...this.#logs.values()]
      .filter((log) => log.summary.state === 'running')
      .map((log) => log.summary.traceId);
  }

  lastSeq(traceId: string): number {
    return this.#logs.get(traceId)?.lastSeq ?? 0;
  }

  /** JSON lines after `seq`; null when they are in the file only (or there is no such trace). */
  linesAfter(traceId: string, seq: number): readonly string[] | null {
    return this.#logs.get(traceId)?.after(seq) ?? null;
  }

  /** The trace as a file, complete up to now; null when there is none. */
  async file(traceId: string): Promise<Buffer | null> {
    const log = this.#logs.get(traceId);
    if (!log) return null;
    await this.#saving.get(traceId);
    if (log.savedSeq === log.lastSeq) return this.#files.read(traceId);
    const { header, lines } = await this.#whole(log);
    return encodeTraceFile(header, lines);
  }

  /** What a trace tells up to now; null when there is no such trace. */
  async events(traceId: string): Promise<readonly TraceEvent[] | null> {
    const lines = this.linesAfter(traceId, 0);
    if (lines) return lines.map((line) => JSON.parse(line) as TraceEvent);
    const file = await this.file(traceId);
    if (!file) return null;
    return (await decodeTraceFile(file)).lines.map((line) => JSON.parse(line) as TraceEvent);
  }

  /** Ends the traces that are over and quiet, and keeps memory in bounds. */
  sweep(nowMs = Date.now()): void {
    for (const log of this.#logs.values()) {
      if (log.summary.state === 'running' && this.#isFinished(log, nowMs)) this.#end(log);
    }
    this.#keepMemoryInBounds();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const log of this.#logs.values()) if (log.summary.state === 'running') this.#end(log);
    await Promise.all(this.#saving.values());
  }

  #begin(event: TraceEvent): TraceLog {
    const announced = this.#announced.get(event.traceId);
    const plain = newSummary(event, this.#offset);
    const log = new TraceLog(
      announced
        ? { ...plain, origin: 'page', title: announced.title, argv: announced.argv }
        : plain,
      announced?.learner ?? null,
    );
    this.#logs.set(event.traceId, log);
    return log;
  }

  /** What becomes of a container later (its health, its restarts, a stop) is of whoever made it. */
  #inherit(log: TraceLog): void {
    for (const link of log.summary.links) log.learner ??= this.#logs.get(link)?.learner ?? null;
  }

  #isGuess(event: TraceEvent): boolean {
    const announced = this.#announced.get(event.traceId);
    return (
      announced !== undefined &&
      event.type === 'process' &&
      event.process.pid === announced.clientPid &&
      event.emitter.actor !== 'docker' &&
      event.emitter.actor !== 'lab'
    );
  }

  #isFinished(log: TraceLog, nowMs: number): boolean {
    const quietFor = nowMs - log.lastEventAtMs;
    if (log.isOver) return quietFor >= this.#quietMs;
    const hasClient = log.clientPid !== null && this.#isAlive(log.clientPid);
    return !hasClient && quietFor >= ABANDONED_AFTER_MS;
  }

  #end(log: TraceLog): void {
    if (log.overflow > 0) this.accept(overflowEvent(log));
    log.summary = { ...log.summary, state: 'ended' };
    this.#tell(log.summary);
    this.#save(log);
  }

  #save(log: TraceLog): void {
    const { traceId } = log.summary;
    const previous = this.#saving.get(traceId) ?? Promise.resolve();
    const saving = previous
      .then(() => this.#write(log))
      .catch((error: unknown) => {
        // A full disk must not stop the lab; the trace stays in memory.
        console.error(`lab: trace ${traceId} was not written: ${messageOf(error)}`);
      });
    this.#saving.set(traceId, saving);
    void saving.then(() => {
      if (this.#saving.get(traceId) === saving) this.#saving.delete(traceId);
    });
  }

  async #write(log: TraceLog): Promise<void> {
    const { lastSeq } = log;
    const { header, lines } = await this.#whole(log);
    await this.#files.write(header, lines);
    log.savedSeq = lastSeq;
    await this.#prune();
  }

  /** As it is now, with what only the file has. */
  async #whole(log: TraceLog): Promise<{ header: TraceFileHeader; lines: readonly string[] }> {
    const { firstSeq, summary, learner } = log;
    const snapshot = log.lines.slice();
    const older = firstSeq > 1 ? await this.#files.lines(summary.traceId) : [];
    const header = { ...newHeader(summary), ...(learner === null ? {} : { learner }) };
    return { header, lines: [...older.slice(0, firstSeq - 1), ...snapshot] };
  }

  async #prune(): Promise<void> {
    const ended = [...this.#logs.values()].filter(
      (log) => log.summary.state === 'ended' && log.savedSeq === log.lastSeq,
    );
    for (const log of ended.slice(0, Math.max(0, ended.length - this.#keepFiles))) {
      this.#logs.delete(log.summary.traceId);
      this.#announced.delete(log.summary.traceId);
      await this.#files.remove(log.summary.traceId);
    }
  }

  #keepMemoryInBounds(): void {
    let total = 0;
    for (const log of this.#logs.values()) total += log.sizeBytes;
    for (const log of this.#logs.values()) {
      if (total <= this.#memoryLimitBytes) return;
      if (log.sizeBytes === 0) continue;
      if (log.savedSeq === log.lastSeq) {
        total -= log.sizeBytes;
        log.forgetSaved();
      } else if (!this.#saving.has(log.summary.traceId)) {
        // Also a growing trace can be written down; its next events continue the file.
        this.#save(log);
        total -= log.sizeBytes;
      }
    }
  }

  #tell(summary: TraceSummary): void {
    for (const listener of this.#listeners) listener.onSummary?.(summary);
  }
}
