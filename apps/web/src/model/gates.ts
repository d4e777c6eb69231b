/** Gates as one reads them: what has happened where a run is held, and what has not. */
import { DAEMON_GATES, parseStepGate } from '@engine-room/engine/protocol/trace/gate.ts';

export const gateWords = (gate: string): string => {
  const known = Object.entries(DAEMON_GATES).find(([name]) => name === gate)?.[1].words;
  if (known) return known;
  const step = parseStepGate(gate);
  if (!step) return gate;
  const who = step.stage === 'init' ? "the container's init" : 'runc';
  return `before ${step.call} of ${who}`;
};
