import { expect, test } from 'vitest';
import { aRun } from '../model/a-run.fixture.ts';
import { readTrace } from './recorded-trace.ts';
import { headerOf, writeTrace } from './write-trace.ts';

test('what is written is read again, event for event', async () => {
  const events = aRun();
  const header = headerOf(
    {
      traceId: events[0]?.traceId ?? '',
      title: 'docker run --rm busybox echo hello',
      argv: null,
      origin: 'page',
      state: 'running',
      exitCode: 0,
      anchor: { mono: events[0]?.mono ?? '0', unixNano: '1700000000000000000' },
      eventCount: events.length,
      links: [],
      containerIds: [],
    },
    'Linux test',
  );
  const file = await writeTrace(header, [...events].reverse());
  const read = await readTrace(new Uint8Array(await file.arrayBuffer()));
  expect(read.caveat).toBeNull();
  expect(read.header).toEqual(header);
  expect(read.header.recordedAt).toBe('2023-11-14T22:13:20.000Z');
  expect(read.events).toEqual(events);
});
