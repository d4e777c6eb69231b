/** The line that stands for a trace in the list of runs, kept up to date event by event. */
import { isClientActor, type TraceEvent } from '../../protocol/trace/event.ts';
import type { TraceSummary } from '../../protocol/trace/stream.ts';

const TITLE_LIMIT = 400;
const LIST_LIMIT = 64;

/** `unixNano - mono` of this machine; taken once per trace, because the wall clock may be set meanwhile. */
export const wallClockOffset = (): bigint =>
  BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

export const newSummary = (event: TraceEvent, offset: bigint): TraceSummary => ({
  traceId: event.traceId,
  title: '',
  argv: null,
  origin: 'external',
  state: 'running',
  exitCode: null,
  anchor: { mono: event.mono, unixNano: (BigInt(event.mono) + offset).toString() },
  eventCount: 0,
  links: [],
  containerIds: [],
});

const FULL_ID = /^[0-9a-f]{64}$/;

const containerIdOf = (event: TraceEvent): string | undefined => {
  if (event.type === 'output') return event.containerId;
  if (event.type === 'process' && event.containerId) return event.containerId;
  if (event.type === 'message' || event.type === 'dropped') return undefined;
  const id = 'attributes' in event ? event.attributes['container.id'] : undefined;
  return typeof id === 'string' ? id : undefined;
};

/** Readable as one would type it: words with blanks are quoted. */
export const titleOfArgv = (argv: readonly string[]): string => {
  const [program = '', ...rest] = argv;
  const words = [program.slice(program.lastIndexOf('/') + 1), ...rest];
  return words
    .map((word) => (/^[\w./:=@,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ')
    .slice(0, TITLE_LIMIT);
};

const add = (list: readonly string[], item: string | undefined): readonly string[] =>
  item === undefined || list.includes(item) || list.length >= LIST_LIMIT ? list : [...list, item];

/** True for the process whose life is the trace: the client that the learner (or a terminal) started. */
export const isClientExit = (event: TraceEvent): boolean =>
  event.type === 'process' && event.change === 'exit' && isClientActor(event.actor);

/** `rootSpanId` is the span that everything else in the trace belongs to, as far as it is known. */
export const updateSummary = (
  summary: TraceSummary,
  event: TraceEvent,
  rootSpanId: string | null,
): TraceSummary => {
  let { title, argv, exitCode, links } = summary;
  if (event.type === 'spanStarted') {
    if (event.spanId === rootSpanId) {
      const words = event.attributes['process.command_args'];
      if (Array.isArray(words)) argv ??= words as readonly string[];
      if (title === '') title = event.name.slice(0, TITLE_LIMIT);
    }
    for (const link of event.links ?? []) links = add(links, link.traceId);
  }
  if (event.type === 'process' && isClientActor(event.actor)) {
    if (event.process.argv && event.process.argv.length > 0) argv ??= event.process.argv;
    if (isClientExit(event) && event.exit) exitCode = event.exit.code;
  }
  if (event.type === 'spanEnded' && event.spanId === rootSpanId) {
    const code = event.attributes['process.exit.code'];
    if (typeof code === 'number') exitCode ??= code;
  }
  // What the page was asked to run is its title; the argv has the added limits in it.
  if (summary.origin !== 'page' && summary.argv === null && argv !== null)
    title = titleOfArgv(argv);
  const id = containerIdOf(event);
  return {
    ...summary,
    title,
    argv,
    exitCode,
    links,
    containerIds: add(summary.containerIds, id !== undefined && FULL_ID.test(id) ? id : undefined),
    eventCount: summary.eventCount + 1,
  };
};

/** Events are counted by whoever gets them; of these changes a page has to be told. */
export const isWorthTelling = (before: TraceSummary, after: TraceSummary): boolean =>
  before.state !== after.state ||
  before.title !== after.title ||
  before.exitCode !== after.exitCode ||
  before.links !== after.links ||
  before.containerIds !== after.containerIds;
