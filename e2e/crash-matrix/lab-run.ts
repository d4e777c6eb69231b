/** A run that the lab starts and holds at a gate, as the page would. */
import { eventually } from '../support/engine.ts';
import type { OurEngine } from '../support/our-engine.ts';

export interface Held {
  readonly gate: string;
  readonly pid: number;
  readonly subjectPid: number;
}

export class LabRun {
  readonly #engine: OurEngine;
  readonly #traceId: string;

  private constructor(engine: OurEngine, traceId: string) {
    this.#engine = engine;
    this.#traceId = traceId;
  }

  static async start(
    engine: OurEngine,
    command: string,
    gates: readonly string[],
  ): Promise<LabRun> {
    const answer = await ask(engine, '/run', { command, gates });
    if (answer.status !== 202) throw new Error(`${answer.status}: ${JSON.stringify(answer.json)}`);
    return new LabRun(engine, (answer.json as { traceId: string }).traceId);
  }

  async untilHeld(): Promise<Held> {
    let first: Held | undefined;
    await eventually(
      'the run is held',
      async () => {
        const { json } = await ask(this.#engine, `/runs/${this.#traceId}/gates`);
        [first] = (json as { held: readonly Held[] }).held;
        return first !== undefined;
      },
      60_000,
    );
    return first as Held;
  }

  /** Nothing to let go is no error: whoever was held may be dead. */
  async goOn(): Promise<void> {
    await ask(this.#engine, `/runs/${this.#traceId}/continue`, {});
  }
}

async function ask(
  engine: OurEngine,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly json: unknown }> {
  const url = new URL(engine.url);
  const response = await fetch(`${url.origin}/api${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      Authorization: `Bearer ${url.hash.replace('#token=', '')}`,
      'Content-Type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}
