/** Gates as one reads them: what has happened where a run is held, and what has not. */
import {
  DAEMON_GATES,
  parseStepGate,
  type DaemonGate,
} from '@engine-room/engine/protocol/trace/gate.ts';
import { t } from '../messages/catalogue.ts';

const isDaemonGate = (gate: string): gate is DaemonGate => Object.hasOwn(DAEMON_GATES, gate);

export const gateWords = (gate: string): string => {
  if (isDaemonGate(gate)) return t().atGate[gate];
  const step = parseStepGate(gate);
  return step ? t().beforeCall(step.call, step.stage === 'init') : gate;
};
