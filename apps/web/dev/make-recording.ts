/** Writes a made-up recording for looking at the page before an engine exists. Never shipped. */
import { gzipSync } from 'node:zlib';
import { writeFileSync } from 'node:fs';
import { aRun } from '../src/model/a-run.fixture.ts';

const events = aRun();
const first = events[0];
const header = {
  format: 'engine-room-trace', version: 1, recordedAt: new Date().toISOString(), machine: 'Linux made-up x64',
  summary: { traceId: first?.traceId, title: 'docker run --rm busybox echo hello', argv: null, origin: 'page', state: 'ended', exitCode: 0, anchor: { mono: first?.mono, unixNano: '1764000000000000000' }, eventCount: events.length, links: [], containerIds: [] },
};
writeFileSync(process.argv[2] ?? 'out.gz', gzipSync([header, ...events].map((e) => JSON.stringify(e)).join('\n') + '\n'));
console.log(events.length, 'events');
