import { describe, expect, test } from 'vitest';
import type { Attributes, SequencedEvent } from '@engine-room/engine/protocol/trace/event.ts';
import { spanEndedId, spanStartedId } from '@engine-room/engine/protocol/trace/event-id.ts';
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

test.each(['lab', 'dockerd'] as const)('the lab is done, also when %s says so', (teller) => {
  const last = RUN.at(-1);
  if (!last) throw new Error('the run is empty');
  const { traceId, mono } = last;
  const spanId = '00f067aa0ba902b7';
  const common = { spanId, traceId, mono, level: 'detail' } as const;
  const started: SequencedEvent = {
    ...common,
    type: 'spanStarted',
    id: spanStartedId(spanId),
    cause: null,
    seq: last.seq + 1,
    emitter: { actor: 'lab', pid: 1, n: 1 },
    source: '',
    parentSpanId: null,
    name: 'docker run',
    kind: 'client',
    attributes: {},
  };
  const ended: SequencedEvent = {
    ...common,
    type: 'spanEnded',
    id: spanEndedId(spanId),
    cause: spanStartedId(spanId),
    seq: last.seq + 2,
    emitter: { actor: teller, pid: 2, n: 1 },
    status: { code: 'ok' },
    attributes: {},
  };
  const model = new RunModel();
  model.add([...RUN, started, ended]);

  expect(captionOf(ended, model)).toMatch(/^The lab is done with docker run/);
});
