/** A trace file that somebody was sent, opened in the page: read, sorted, folded, put into words. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { statusOf } from '../../apps/web/src/model/actor-status.ts';
import { linkBytes, bytesOf } from '../../apps/web/src/model/byte-links.ts';
import { aRun } from '../../apps/web/src/model/a-run.fixture.ts';
import { captionOf } from '../../apps/web/src/model/caption.ts';
import { journeysAt } from '../../apps/web/src/model/journeys.ts';
import { kernelChips } from '../../apps/web/src/model/kernel-chips.ts';
import { lifelinesOf } from '../../apps/web/src/model/lifelines.ts';
import { markersOf } from '../../apps/web/src/model/markers.ts';
import { RunModel } from '../../apps/web/src/model/run-model.ts';
import { readTrace, TraceFileError } from '../../apps/web/src/trace/recorded-trace.ts';
import { mutatedBytes, mutatedJson } from './mutate.ts';
import { target, type Target } from './target.ts';

const RUN = aRun();
const HEADER = {
  format: 'engine-room-trace',
  version: 1,
  recordedAt: '2026-11-24T05:00:00Z',
  machine: 'Linux 6.12 x64',
  summary: {
    traceId: RUN[0]?.traceId,
    title: 'docker run --rm busybox echo hello',
    argv: null,
    origin: 'page',
    state: 'ended',
    exitCode: 0,
    anchor: { mono: '1', unixNano: '2' },
    eventCount: RUN.length,
    links: [],
    containerIds: [],
  },
};
const linesOf = (documents: readonly unknown[]): string =>
  documents.map((document) => JSON.stringify(document)).join('\n');

const anyFile: fc.Arbitrary<Buffer> = fc.oneof(
  // Sound lines of which some say odd things: these reach the model.
  fc
    .tuple(fc.array(mutatedJson(...RUN), { maxLength: 8 }), fc.nat(RUN.length), fc.boolean())
    .map(([odd, upTo, isPacked]) => {
      const text = Buffer.from(linesOf([HEADER, ...RUN.slice(0, upTo), ...odd]));
      return isPacked ? gzipSync(text) : text;
    }),
  mutatedJson(HEADER).map((header) => Buffer.from(linesOf([header, RUN[0]]))),
  mutatedBytes(
    gzipSync(linesOf([HEADER, ...RUN.slice(0, 5)])),
    Buffer.from(linesOf([HEADER, RUN[0]])),
  ),
);

const show = (model: RunModel): void => {
  const sources = { span: (spanId: string) => model.span(spanId) };
  for (const at of [0, model.length >> 1, model.length]) {
    const machine = model.machineAt(at);
    kernelChips(machine);
    statusOf(machine, 'dockerd');
    journeysAt(model, 'detail', model.order.placed[at]?.at ?? 0);
  }
  lifelinesOf(model, 'step');
  markersOf(model);
  for (const { event } of model.order.placed) {
    captionOf(event, sources);
    if (event.type === 'message' && event.raw) linkBytes(event.body, bytesOf(event.raw.base64));
  }
};

export const PAGE: readonly Target[] = [
  target('trace files in the page', {
    perThousand: 30,
    inputs: anyFile,
    open: () => ({
      feed: async (bytes) => {
        try {
          const { events } = await readTrace(new Uint8Array(bytes));
          const model = new RunModel();
          model.add(events);
          show(model);
          // The same again in the other order: no arrival may break what is shown.
          const late = new RunModel();
          for (const event of [...events].reverse()) late.add([event]);
          if (late.length !== model.length) throw new Error('the order of arrival changed the run');
        } catch (error) {
          if (!(error instanceof TraceFileError)) throw error;
        }
      },
    }),
  }),
];
