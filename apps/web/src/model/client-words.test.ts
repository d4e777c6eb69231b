import { describe, expect, test } from 'vitest';
import type { Attributes, SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import { aRun } from './a-run.fixture.ts';
import { captionOf } from './caption.ts';
import { clientTextOf } from './machine.ts';
import { RunModel } from './run-model.ts';

const RUN = aRun();

function moment(name: string, attributes: Attributes): SequencedEvent {
  const last = RUN.at(-1);
  if (!last) throw new Error('the run is empty');
  const { traceId, emitter, mono } = last;
  const seq = last.seq + 1;
  const spanId = '00f067aa0ba902b7';
  const [type, level] = ['spanEvent', 'detail'] as const;
  return {
    ...{ type, level, traceId, emitter, seq, spanId, name, attributes },
    id: name,
    cause: null,
    source: '',
    mono: String(BigInt(mono) + 1_000_000n),
  };
}

const caption = (name: string, attributes: Attributes): string =>
  captionOf(moment(name, attributes), new RunModel());

describe('what the client itself printed', () => {
  const text = 'docker: Error response from daemon: no such image.\n';
  const model = new RunModel();
  model.add([...RUN, moment('client stderr', { 'engineroom.client.text': text })]);

  test('is in the machine once it was printed, and not before', () => {
    const { length } = model.order.placed;
    expect(clientTextOf(model.machineAt(length).client)).toMatchObject([
      { stream: 'stderr', text },
    ]);
    expect(model.machineAt(length - 1).client).toBeNull();
  });

  test('has a caption without escape sequences', () => {
    const colored = { 'engineroom.client.text': '\u001b[31mhello\u001b[0m\n' };
    expect(caption('client stdout', colored)).toBe('docker prints: hello.');
  });
});

test('a limit that ends a run has a caption', () => {
  expect(caption('time limit', { 'engineroom.limit.ms': 60_000 })).toBe(
    'The lab ends the run: it took longer than 60 s.',
  );
  expect(caption('output limit', { 'engineroom.limit.bytes': 1_048_576 })).toMatch(
    /^The lab ends the run: it wrote more than 1/,
  );
});
