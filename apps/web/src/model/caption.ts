/**
 * One sentence for one event: active voice, the field's words, at most 90 characters, and nothing that the event
 * (and the span that it ends) does not say. The page shows it, the table lists it, a screen reader speaks it.
 */
import type {
  Actor,
  Attributes,
  Message,
  ProcessEvent,
  SequencedEvent,
  SpanEnded,
  SpanEvent,
  SpanStarted,
  SyscallEvent,
} from '@engine-room/engine/protocol/trace/event.ts';
import { HELD_EVENT, RELEASED_EVENT } from '@engine-room/engine/protocol/trace/gate.ts';
import { t } from '../messages/catalogue.ts';
import { gateWords } from './gates.ts';
import { layerWords, layerWorkWords } from './layer-words.ts';
import { plainText } from './plain-text.ts';
import { purposeOf, shortSummary } from './requests.ts';
import { isOtherClient, type SpanView } from './run-model.ts';
import { durationWords, sizeWords } from './time-words.ts';

export const LONGEST_CAPTION = 90;

/** What a caption may look up. */
export interface CaptionSources {
  /** The program that speaks to containerd itself. */
  readonly clientName?: string | null;
  /** The program that speaks to dockerd, when it is not the docker CLI. */
  readonly dockerClientName?: string | null;
  span(spanId: string): SpanView | undefined;
}

export const captionOf = (event: SequencedEvent, sources: CaptionSources): string =>
  fit(sentence(event, sources));

function sentence(event: SequencedEvent, sources: CaptionSources): string {
  switch (event.type) {
    case 'message':
      return aboutMessage(event, sources);
    case 'process':
      return aboutProcess(event, sources);
    case 'syscall':
      return aboutSyscall(event);
    case 'spanStarted':
      return aboutBeginning(event, sources);
    case 'spanEnded':
      return aboutEnd(event, sources);
    case 'spanEvent':
      return aboutMoment(event, sources);
    case 'output':
      return t().tell.output(sizeWords(event.sizeBytes), event.stream, quote(event.base64));
    case 'dropped':
      return t().tell.lost(event.count, event.actor, event.pid);
  }
}

/** How the engine's RPC clients sum up an answer without an error. */
const DONE = ' answered';

function aboutMessage(
  { from: sender, to: receiver, summary, direction, protocol, body }: Message,
  sources: CaptionSources,
): string {
  const from = called(sender.actor, sources);
  const to = called(receiver.actor, sources);
  const { tell } = t();
  if (protocol === 'signal') return tell.signal(from, summary, to);
  if (protocol === 'exec') return tell.runs(from, summary);
  if (direction === 'response' && summary.endsWith(DONE))
    return tell.done(from, to, shortSummary(summary.slice(0, -DONE.length)));
  if (direction === 'response') return tell.answers(from, to, answerWords(summary, body));
  if (direction === 'event') return tell.tells(from, to, shortSummary(summary), '');
  if (protocol === 'fifo') return tell.fifo(from, to, summary);
  const forwarded = /^Events\/(?:Forward|Publish) (\/\S+)$/.exec(summary)?.[1];
  if (forwarded) return tell.tells(from, to, forwarded, over(protocol));
  const purpose = purposeOf(summary);
  if (!purpose) return tell.asks(from, to, shortSummary(summary));
  const image = /\/containers\/create/.test(summary) ? textField(body, 'Image') : null;
  const what = image === null ? purpose : tell.fromImage(purpose, image);
  return tell.asksTo(from, to, what, over(protocol));
}

const over = (protocol: Message['protocol']): string =>
  protocol === 'grpc' ? t().tell.over('gRPC') : protocol === 'ttrpc' ? t().tell.over('ttrpc') : '';

/** An error's answer says more in its body than in its status. */
function answerWords(given: string, body: unknown): string {
  const summary = given.replace(/^101 .*/, t().tell.rawStream);
  const message = textField(body, 'message');
  return message && /^[45]\d\d/.test(summary) ? `${summary.slice(0, 3)}, ${message}` : summary;
}

function textField(body: unknown, field: string): string | null {
  if (typeof body !== 'object' || body === null || !(field in body)) return null;
  const value: unknown = Reflect.get(body, field);
  return typeof value === 'string' && value !== '' ? value : null;
}

function aboutProcess(event: ProcessEvent, sources: CaptionSources): string {
  const { tell } = t();
  const { change, process, exit, emitter } = event;
  const actor = isOtherClient(event) ? (process.name as Actor) : called(event.actor, sources);
  const { pid } = process;
  const ppid = String(process.ppid ?? '?');
  switch (change) {
    case 'fork':
      return actor === 'container' ? tell.initBorn(pid, ppid) : tell.born(actor, pid, ppid);
    case 'exec':
      return tell.becomes(pid, commandWords(process));
    case 'claimed':
      return tell.claims(emitter.actor, actor, pid);
    case 'reparent':
      return tell.reparented(pid, ppid);
    case 'exit':
      if (!exit) return tell.gone(actor, pid);
      return exit.signal
        ? tell.diesOf(actor, pid, exit.signal, exit.code)
        : tell.exits(actor, pid, exit.code);
  }
}

const commandWords = ({ argv, name }: ProcessEvent['process']): string =>
  argv && argv.length > 0
    ? t().tell.command(argv.map((word) => shortSummary(word)).join(' '))
    : name;

function aboutSyscall({ caller: { actor }, name, title, errno, ignored }: SyscallEvent): string {
  const { tell } = t();
  if (errno === null) return tell.calls(actor, name, title);
  return ignored
    ? tell.callsIgnored(actor, name, title, errno)
    : tell.callFails(actor, name, title, errno);
}

/** Work that dockerd begins by itself. */
const HEALTH_PROBE = 'daemon.healthProbe';
const RESTART = 'daemon.restartContainer';

/** A run in the list: the command, or what it was that nobody has asked for. */
export const runTitle = (title: string): string => {
  if (title === '') return t().runs.unnamed;
  if (title === HEALTH_PROBE) return t().runs.healthProbe;
  return title === RESTART ? t().runs.restartContainer : title;
};

function aboutBeginning(
  { emitter, kind, name, attributes }: SpanStarted,
  sources: CaptionSources,
): string {
  const { tell } = t();
  const actor = called(subjectOf(emitter.actor, attributes), sources);
  const what = shortSummary(name);
  const container = String(attributes['container.name'] ?? '');
  if (name === HEALTH_PROBE) return tell.probes(actor, container);
  if (name === RESTART) return tell.restarts(actor, container);
  const work = layerWorkWords(actor, name, attributes);
  if (work !== null) return work;
  if (kind === 'server') return tell.handles(actor, what);
  return kind === 'client' ? tell.prepares(actor, what) : tell.begins(actor, what);
}

/** A client that tells nothing is told of by whom it speaks to. */
const subjectOf = (emitter: Actor, attributes: Attributes | undefined): Actor =>
  (attributes?.['engineroom.told_for'] as Actor | undefined) ?? emitter;

/** A client is called by its program's name, which the catalogues say as it is. */
const called = (actor: Actor, { clientName, dockerClientName }: CaptionSources): Actor => {
  const program =
    actor === 'client' ? clientName : actor === 'docker' ? dockerClientName : undefined;
  return program ? (program as Actor) : actor;
};

function aboutEnd({ emitter, spanId, status }: SpanEnded, sources: CaptionSources): string {
  const { tell } = t();
  const span = sources.span(spanId);
  // The lab and dockerd both see a client exit, and the first to say so is heard: the work is whose it was.
  const worker = span?.started?.emitter ?? emitter;
  const actor = called(subjectOf(worker.actor, span?.started?.attributes), sources);
  const what = span?.started ? shortSummary(span.started.name) : tell.itsWork;
  if (status.code === 'error') return tell.fails(actor, what, status.message);
  const isWhole = span?.started && span.endedAt !== null;
  return tell.isDone(actor, what, isWhole ? durationWords(span.endedAt - span.startedAt) : null);
}

function aboutMoment(
  { emitter: { actor }, name, attributes }: SpanEvent,
  sources: CaptionSources,
): string {
  const { tell } = t();
  const text = attributes['engineroom.client.text'];
  if (typeof text === 'string')
    return tell.prints(sources.dockerClientName ?? 'docker', plainText(text));
  const ms = attributes['engineroom.limit.ms'];
  if (typeof ms === 'number') return tell.tooLong(ms / 1000);
  const bytes = attributes['engineroom.limit.bytes'];
  if (typeof bytes === 'number') return tell.tooMuch(sizeWords(bytes));
  return (
    aboutSurvival(name, attributes, actor) ??
    layerWords(actor, name, attributes) ??
    tell.moment(actor, shortSummary(name))
  );
}

/** What is told after a fault: who lives on, and who finds whom again. */
function aboutSurvival(moment: string, attributes: Attributes, emitter: Actor): string | null {
  const { tell } = t();
  const pid = String(attributes['process.pid'] ?? '?');
  const who = (attributes['engineroom.process.actor'] ?? 'container') as Actor;
  switch (moment) {
    case 'process lives on':
      return tell.livesOn(who, pid, String(attributes['process.parent_pid'] ?? '?'));
    case 'process is gone':
      return tell.isGone(who, pid);
    case 'container adopted':
      return tell.adopts(emitter, pid);
    case HELD_EVENT:
      return tell.isHeld(emitter, gateWords(String(attributes['engineroom.gate'])));
    case RELEASED_EVENT:
      return tell.goesOn(emitter, String(attributes['engineroom.gate.reason'] ?? 'released'));
    case 'reconnected to shim':
      return tell.reconnects(emitter);
    default:
      return null;
  }
}

function quote(base64: string): string {
  const text = printable(base64).trim();
  return text === '' ? '' : t().tell.quote(text);
}

function printable(base64: string): string {
  try {
    const bytes = Uint8Array.from(atob(base64.slice(0, 160)), (char) => char.charCodeAt(0));
    return new TextDecoder().decode(bytes).replace(/[\p{Cc}\p{Cf}\ufffd]+/gu, ' ');
  } catch {
    return '';
  }
}

/** Cut at a word where possible, and end like a sentence. */
function fit(words: string): string {
  const line = words.replace(/\s+/g, ' ').trim();
  const whole = /[.!?…”]$/.test(line) ? line : `${line}.`;
  if (whole.length <= LONGEST_CAPTION) return whole;
  const cut = line.slice(0, LONGEST_CAPTION - 1);
  const space = cut.lastIndexOf(' ');
  return `${space > LONGEST_CAPTION * 0.6 ? cut.slice(0, space) : cut}…`;
}
