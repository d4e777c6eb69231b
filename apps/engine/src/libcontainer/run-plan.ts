/**
 * Has the helper `runc` execute a plan, and tells the trace what each step did while it happens.
 * pidfd_open(2), pipe(7). The helper: native/src/helper/.
 */
import { readSync } from 'node:fs';
import type { ExitStatus, Native, SpawnedRunc } from '../../../../native/native.ts';
import type { Span, Tracer } from '../tracing/tracer.ts';
import { encodePlan } from './plan/encode.ts';
import { RECORD_SIZE, RecordParser } from './plan/records.ts';
import type { Plan } from './plan/step.ts';
import { type Failure, PlanTrace } from './plan-trace.ts';
import { gatePlan } from './step-gates.ts';

export interface RunPlanOptions {
  readonly native: Native;
  readonly tracer: Tracer;
  readonly plan: Plan;
  /** What `ps` shows while it lasts: `runc create 4f2a…`. */
  readonly argv: readonly string[];
  readonly stdio: readonly [number, number, number];
  readonly cwd: string;
  readonly extraFds?: readonly number[];
  /** The span that the steps belong to: `runc create`. */
  readonly span: Span;
  readonly containerId: string;
  /** argv of the container's program, for the event of its `execve`. */
  readonly programArgv?: readonly string[];
}

export interface PlanOutcome {
  /** 0: every step of runc itself was done, and init (if any) is parked. */
  readonly code: number;
  /** What killed runc, or 0. */
  readonly signal: number;
  /** What ended the plan before its end, or null. */
  readonly failure: Failure | null;
  /** Each step was done, also those that may fail. */
  readonly isFlawless: boolean;
  /** The clone3 of the plan gave birth to it; null when there was none. */
  readonly initPid: number | null;
}

export interface RunningPlan {
  /** runc itself. */
  readonly pid: number;
  /** runc has exited (and, unless all went well, everything that it and init recorded was read). */
  readonly exited: Promise<PlanOutcome>;
  /** runc and init have let go of the record pipe: init runs its program (null), or has failed. */
  readonly ended: Promise<Failure | null>;
  /** Whom the clone3 of the plan gave birth to; init may be further by then than runc, which tells of it. Null: nobody. */
  readonly born: Promise<number | null>;
  /** The same, as far as is known by now. */
  initPid(): number | null;
  /** Listens no longer, so that this process may end. */
  stop(): void;
  /** Kills runc, if it is still there. */
  kill(): void;
}

/** Read into and left again within one turn, so one is enough for all plans of a process. */
const buffer = new Uint8Array(RECORD_SIZE * 256);

export const runPlan = (options: RunPlanOptions): RunningPlan => {
  const { native, argv, stdio, cwd } = options;
  const gates = gatePlan({ ...options, extraFds: options.extraFds ?? [] });
  const { plan, extraFds = [] } = gates ?? options;
  let runc: SpawnedRunc;
  let forkedAt: bigint;
  try {
    const bytes = encodePlan(plan);
    forkedAt = process.hrtime.bigint();
    runc = native.spawnRunc({ plan: bytes, argv, stdio, cwd, extraFds });
  } catch (error) {
    gates?.close();
    throw error;
  }
  const trace = new PlanTrace({ ...options, plan, runcPid: runc.pid });
  trace.runcForked(forkedAt);

  let isBorn: (pid: number | null) => void = () => undefined;
  const born = new Promise<number | null>((resolve) => (isBorn = resolve));
  const hasInit = plan.init.length > 0;
  const records = watchRecords({ native, trace, fd: runc.records, hasInit }, () => {
    if (trace.initPid !== null) isBorn(trace.initPid);
  });
  // Init may stand at a gate before runc has told whom it gave birth to.
  gates?.listen((stage) => (stage === 'parent' ? runc.pid : born));
  void records.ended.then(() => {
    isBorn(trace.initPid);
    gates?.close();
  });
  const exit = watchExit(native, runc.pid, runc.pidfd);
  const exited = exit.status.then(async (status): Promise<PlanOutcome> => {
    if (status?.code !== 0) records.readNow();
    // When somebody else has collected it, its records say how it went.
    const code = status?.code ?? (trace.isParentThrough ? 0 : 1);
    if (code !== 0) await records.ended;
    else records.readNow();
    trace.runcExited(code);
    if (code !== 0 && trace.initPid !== null)
      trace.initFailed(reapOrNull(native, trace.initPid) ?? null);
    const { failure, isFlawless, initPid } = trace;
    return { code, signal: status?.signal ?? 0, failure, isFlawless, initPid };
  });
  return {
    pid: runc.pid,
    exited,
    ended: records.ended,
    born,
    initPid: () => {
      records.readNow();
      return trace.initPid;
    },
    stop: () => {
      gates?.close();
      records.stop();
      exit.stop();
    },
    kill: exit.kill,
  };
};

/**
 * Records come one by one, a few microseconds apart. Woken by each, this process would run in turns with the helper
 * instead of beside it, so they are left to gather for a moment in the pipe, which holds more than a thousand.
 */
const GATHER_MS = 1;

interface Watched {
  readonly native: Native;
  readonly trace: PlanTrace;
  readonly fd: number;
  /** Somebody else than runc writes records, too. */
  readonly hasInit: boolean;
}

const watchRecords = ({ native, trace, fd, hasInit }: Watched, onRecords: () => void) => {
  const parser = new RecordParser();
  let open = true;
  let end: (failure: Failure | null) => void = () => undefined;
  const ended = new Promise<Failure | null>((resolve) => (end = resolve));
  let stopWatching: () => void = () => undefined;
  let gathered: NodeJS.Timeout | undefined;

  const close = (): void => {
    if (!open) return;
    open = false;
    clearTimeout(gathered);
    stopWatching();
    native.close(fd);
  };
  /** All that is there. True when there was something. */
  const readNow = (): boolean => {
    let isAny = false;
    while (open) {
      const count = readAvailable(fd, buffer);
      if (count === null) break;
      isAny = true;
      for (const record of parser.push(buffer.subarray(0, count))) trace.record(record);
      onRecords();
      // There is no more: to ask again would cost an error, unless runc was alone and the end is next.
      if (hasInit && count > 0 && count < buffer.length) break;
      if (count > 0) continue;
      close();
      trace.recordsEnded();
      end(trace.failure);
    }
    return isAny;
  };
  const waitForFirst = (): void => {
    stopWatching = native.watchReadable(fd, () => {
      stopWatching();
      stopWatching = native.watchHangUp(fd, readNow);
      gather();
    });
  };
  const gather = (): void => {
    gathered = setTimeout(() => {
      const isAny = readNow();
      if (!open) return;
      if (isAny) return gather();
      stopWatching();
      waitForFirst();
    }, GATHER_MS);
  };
  waitForFirst();
  return { ended, readNow, stop: close };
};

/** null when nothing is there yet, 0 at the end. */
const readAvailable = (fd: number, buffer: Uint8Array): number | null => {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return null;
    throw error;
  }
};

/** undefined while it lives; null when it is gone and another has collected its status. */
const reapOrNull = (native: Native, pid: number): ExitStatus | null | undefined => {
  try {
    return native.reap(pid) ?? undefined;
  } catch {
    return null;
  }
};

const watchExit = (native: Native, pid: number, pidfd: number) => {
  let open = true;
  let resolveStatus: (status: ExitStatus | null) => void = () => undefined;
  const status = new Promise<ExitStatus | null>((resolve) => (resolveStatus = resolve));
  const close = (): void => {
    if (!open) return;
    open = false;
    stopWatching();
    native.close(pidfd);
  };
  const stopWatching = native.watchReadable(pidfd, () => {
    const exit = reapOrNull(native, pid);
    if (exit === undefined) return;
    close();
    resolveStatus(exit);
  });
  const kill = (): void => {
    if (open) native.pidfdSendSignal(pidfd, 9);
  };
  return { status, stop: close, kill };
};
