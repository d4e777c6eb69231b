/** One byte on the line between runc and init, or between runc and its caller: "your turn". read(2), write(2) */
import { number, slot, type StageBuilder, struct } from './plan/stage-builder.ts';

const WORD = new TextEncoder().encode('1');
const words = { object: 'sync', source: __SOURCE__, expect: 1 } as const;

export const say = (stage: StageBuilder, line: string, title: string, purpose: string): void =>
  stage.call('write', [slot(line), struct({ bytes: WORD }, '"1"'), number(1)], {
    ...words,
    title,
    reference: 'man:write(2)',
    purpose,
  });

export const hear = (stage: StageBuilder, line: string, title: string, purpose: string): void =>
  stage.call('read', [slot(line), struct({ bytes: new Uint8Array(8) }, '"1"'), number(1)], {
    ...words,
    title,
    reference: 'man:read(2)',
    purpose,
  });
