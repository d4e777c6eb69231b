/** What the page asks of the lab beside the trace: commands, checks, faults, gates. Answers and refusals, no exceptions. */
import type { CheckAnswer, CheckRequest } from '@engine-room/engine/protocol/lesson/predicate.ts';
import type { FaultAccepted, FaultRequest } from '@engine-room/engine/protocol/trace/fault.ts';
import { t } from '../messages/catalogue.ts';
import { authorizedBy, connectTo } from './lab-address.ts';

/** What the lab says of a command line that it does not run. */
export interface RunRefusal {
  readonly message: string;
  /** Where in the command line, if it is about a place in it. */
  readonly position: number | null;
}

/** `held[].process` of `GET /api/runs/:traceId/gates`. */
export interface FrozenFacts {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  readonly state: string;
  readonly pids: readonly number[];
  readonly capabilities: string;
  readonly seccomp: number;
  readonly namespaces: readonly {
    readonly type: string;
    readonly inode: string;
    readonly isOwn: boolean;
  }[];
  readonly mounts: readonly { readonly target: string }[];
}

export type RunAnswer =
  { readonly traceId: string; readonly injected: readonly string[] } | RunRefusal;

export class LabRequests {
  readonly #token: string | null;

  constructor(token: string | null) {
    this.#token = token;
  }

  /** A line of its own for a terminal. */
  terminal(): WebSocket {
    return connectTo('/api/terminal', this.#token);
  }

  /** Asks the lab to run a command line. It may have to wait for its turn, until it is aborted. */
  async run(command: string, gates: readonly string[], signal: AbortSignal): Promise<RunAnswer> {
    let response: Response;
    try {
      response = await fetch('/api/run', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...authorizedBy(this.#token) },
        body: JSON.stringify(gates.length === 0 ? { command } : { command, gates }),
        signal,
      });
    } catch {
      return { message: t().connection.unreachable, position: null };
    }
    const body: unknown = await response.json().catch(() => null);
    const field = (name: string): unknown =>
      typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
    const traceId = field('traceId');
    if (response.ok && typeof traceId === 'string') {
      const injected = field('injected');
      return { traceId, injected: Array.isArray(injected) ? injected.map(String) : [] };
    }
    const message = field('message');
    const position = field('position');
    return {
      message: typeof message === 'string' ? message : t().connection.status(response.status),
      position: typeof position === 'number' ? position : null,
    };
  }

  /** Asks the lab to look at the machine; a sentence when it cannot. */
  async check(request: CheckRequest): Promise<CheckAnswer | { readonly message: string }> {
    try {
      const response = await fetch('/api/checks', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...authorizedBy(this.#token) },
        body: JSON.stringify(request),
      });
      const body = (await response.json()) as CheckAnswer | { readonly message: string };
      return response.ok || 'message' in body
        ? body
        : { message: t().connection.status(response.status) };
    } catch {
      return { message: t().connection.unreachable };
    }
  }

  /** Asks the lab to break something. */
  async fault(request: FaultRequest): Promise<FaultAccepted | { readonly message: string }> {
    try {
      const response = await fetch('/api/faults', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...authorizedBy(this.#token) },
        body: JSON.stringify(request),
      });
      const body = (await response.json()) as FaultAccepted & { readonly message?: string };
      if (response.ok) return body;
      return { message: body.message ?? t().connection.status(response.status) };
    } catch {
      return { message: t().connection.unreachable };
    }
  }

  /** Lets go who is held in the run. */
  async continue(traceId: string): Promise<void> {
    await fetch(`/api/runs/${traceId}/continue`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...authorizedBy(this.#token) },
      body: '{}',
    }).catch(() => undefined);
  }

  /** What /proc says of the process that is held at the gate now; null when none is. */
  async held(traceId: string, gate: string): Promise<FrozenFacts | null> {
    try {
      const response = await fetch(`/api/runs/${traceId}/gates`, {
        headers: authorizedBy(this.#token),
      });
      if (!response.ok) return null;
      const { held } = (await response.json()) as {
        readonly held: readonly { readonly gate: string; readonly process: FrozenFacts | null }[];
      };
      return held.find((each) => each.gate === gate)?.process ?? null;
    } catch {
      return null;
    }
  }

  async stop(traceId: string): Promise<void> {
    await fetch(`/api/runs/${traceId}/stop`, {
      method: 'POST',
      headers: authorizedBy(this.#token),
    }).catch(() => undefined);
  }
}
