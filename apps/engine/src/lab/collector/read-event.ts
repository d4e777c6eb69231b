/**
 * A line of the collector's socket as an event. Fields that the vocabulary does not name are cut off, so nothing else
 * reaches a page. A line that has none (as each of the engine's own) goes on as it came: to write it once more would cost
 * as much as to read it.
 */
import type { TraceEvent } from '../../protocol/trace/event.ts';
import { traceEvent } from '../../protocol/trace/event-shape.ts';
import { Mismatch } from '../../protocol/trace/shape.ts';

type Problem = { readonly problem: string };

/** The event in a line of JSON, and its JSON as it may be passed on: one object, from brace to brace. */
export const readEvent = (
  line: string,
): { readonly event: TraceEvent; readonly json: string } | Problem => {
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch {
    return { problem: 'a line is not JSON' };
  }
  try {
    const event = traceEvent(given);
    const isWhole = event === given && line.endsWith('}');
    return { event, json: isWhole ? line : JSON.stringify(event) };
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    return { problem: String(error) };
  }
};
