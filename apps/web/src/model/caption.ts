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
import { inSentence } from './actors.ts';
import { gateWords } from './gates.ts';
import { layerWords } from './layer-words.ts';
import { plainText } from './plain-text.ts';
import { purposeOf, shortSummary } from './requests.ts';
import type { SpanView } from './run-model.ts';
import { durationWords, sizeWords } from './time-words.ts';

export const LONGEST_CAPTION = 90;

/** What a caption may look up. */
export interface CaptionSources {
  /** The program that speaks to containerd itself. */
  readonly clientName?: string | null;
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
      return aboutMoment(event);
    case 'output':
      return `${name('container')} writes ${sizeWords(event.sizeBytes)} to ${event.stream}${quote(event.base64)}`;
    case 'dropped':
      return `${event.count} events of ${inSentence(event.actor)} (pid ${event.pid}) were lost`;
  }
}

/** How the engine's RPC clients sum up an answer without an error. */
const DONE = ' answered';

function aboutMessage(
  { from, to, summary, direction, protocol, body }: Message,
  sources: CaptionSources,
): string {
  const sender = name(from.actor, sources);
  const receiver = called(to.actor, sources);
  if (protocol === 'signal') return `${sender} sends ${summary} to ${receiver}`;
  if (protocol === 'exec') return `${sender} runs ${summary}`;
  if (direction === 'response' && summary.endsWith(DONE))
    return `${sender} tells ${receiver}: ${shortSummary(summary.slice(0, -DONE.length))} is done`;
  if (direction === 'response')
    return `${sender} answers ${receiver}: ${answerWords(summary, body)}`;
  if (direction === 'event') return `${sender} tells ${receiver}: ${shortSummary(summary)}`;
  if (protocol === 'fifo') return `${sender} writes to ${receiver} through a FIFO: ${summary}`;
  const forwarded = /^Events\/(?:Forward|Publish) (\/\S+)$/.exec(summary)?.[1];
  if (forwarded) return `${sender} tells ${receiver}: ${forwarded}${over(protocol)}`;
  const purpose = purposeOf(summary);
  if (!purpose) return `${sender} asks ${receiver}: ${shortSummary(summary)}`;
  const image = imageOf(body);
  const from_ = purpose === 'create a container' && image ? ` from ${image}` : '';
  return `${sender} asks ${receiver} to ${purpose}${from_}${over(protocol)}`;
}

const over = (protocol: Message['protocol']): string =>
  protocol === 'grpc' ? ' over gRPC' : protocol === 'ttrpc' ? ' over ttrpc' : '';

/** An error's answer says more in its body than in its status. */
function answerWords(given: string, body: unknown): string {
  const summary = given.replace(/^101 .*/, '101, the connection is now a raw stream');
  const message = textField(body, 'message');
  return message && /^[45]\d\d/.test(summary) ? `${summary.slice(0, 3)}, ${message}` : summary;
}

const imageOf = (body: unknown): string | null => textField(body, 'Image');

function textField(body: unknown, field: string): string | null {
  if (typeof body !== 'object' || body === null || !(field in body)) return null;
  const value: unknown = Reflect.get(body, field);
  return typeof value === 'string' && value !== '' ? value : null;
}

function aboutProcess(
  { change, actor, process, exit, emitter }: ProcessEvent,
  sources: CaptionSources,
): string {
  const { pid, ppid } = process;
  const who = called(actor, sources);
  switch (change) {
    case 'fork':
      return actor === 'container'
        ? `The container's first process is born as pid ${pid}, a child of pid ${ppid ?? '?'}`
        : `A process for ${who} is born: pid ${pid}, child of pid ${ppid ?? '?'}`;
    case 'exec':
      return `Pid ${pid} becomes ${commandWords(process)}`;
    case 'claimed':
      return `${name(emitter.actor)} claims a waiting process as ${who}: pid ${pid}`;
    case 'reparent':
      return `Pid ${pid} gets a new parent: pid ${ppid ?? '?'}`;
    case 'exit':
      if (!exit)
        return `${name(actor, sources)} (pid ${pid}) is gone; its exit code was its parent's to see`;
      return exit.signal
        ? `${name(actor)} (pid ${pid}) dies of ${exit.signal}; its exit code is ${exit.code}`
        : `${name(actor)} (pid ${pid}) exits with code ${exit.code}`;
  }
}

const commandWords = ({ argv, name: processName }: ProcessEvent['process']): string =>
  argv && argv.length > 0 ? `“${argv.map((word) => shortSummary(word)).join(' ')}”` : processName;

function aboutSyscall({ caller, name: call, title, errno, ignored }: SyscallEvent): string {
  const who = caller.actor === 'container' ? 'Init' : name(caller.actor);
  if (errno === null) return `${who} calls ${call}: ${title}`;
  return ignored
    ? `${who} calls ${call}: ${title} (${errno}, which may be)`
    : `${who} calls ${call} and fails with ${errno}: ${title}`;
}

function aboutBeginning(
  { emitter, kind, name: span, attributes }: SpanStarted,
  sources: CaptionSources,
): string {
  const who = name(subjectOf(emitter.actor, attributes), sources);
  const what = shortSummary(span);
  if (kind === 'server') return `${who} begins to handle ${what}`;
  return kind === 'client' ? `${who} makes ready to call ${what}` : `${who} begins ${what}`;
}

/** A client that tells nothing is told of by whom it speaks to. */
function subjectOf(emitter: Actor, attributes: Attributes | undefined): Actor {
  return (attributes?.['engineroom.told_for'] as Actor | undefined) ?? emitter;
}

function aboutEnd({ emitter, spanId, status }: SpanEnded, sources: CaptionSources): string {
  const span = sources.span(spanId);
  const who = name(subjectOf(emitter.actor, span?.started?.attributes), sources);
  const what = span?.started ? shortSummary(span.started.name) : 'its work';
  if (status.code === 'error')
    return `${who} fails at ${what}: ${status.message ?? 'no reason given'}`;
  const took =
    span?.started && span.endedAt !== null
      ? ` after ${durationWords(span.endedAt - span.startedAt)}`
      : '';
  return `${who} is done with ${what}${took}`;
}

function aboutMoment({ emitter, name: moment, attributes }: SpanEvent): string {
  const text = attributes['engineroom.client.text'];
  if (typeof text === 'string') return `docker prints: ${plainText(text)}`;
  const ms = attributes['engineroom.limit.ms'];
  if (typeof ms === 'number') return `The lab ends the run: it took longer than ${ms / 1000} s`;
  const bytes = attributes['engineroom.limit.bytes'];
  if (typeof bytes === 'number')
    return `The lab ends the run: it wrote more than ${sizeWords(bytes)}`;
  return (
    aboutSurvival(moment, attributes, emitter.actor) ??
    layerWords(name(emitter.actor), moment, attributes) ??
    `${name(emitter.actor)}: ${shortSummary(moment)}`
  );
}

/** What is told after a fault: who lives on, and who finds whom again. */
function aboutSurvival(moment: string, attributes: Attributes, emitter: Actor): string | null {
  const pid = String(attributes['process.pid'] ?? '?');
  const who = name((attributes['engineroom.process.actor'] ?? 'container') as Actor);
  switch (moment) {
    case 'process lives on':
      return `${who} lives on: still pid ${pid}, child of pid ${String(attributes['process.parent_pid'] ?? '?')}`;
    case 'process is gone':
      return `${who} is gone: there is no pid ${pid} of that start time any more`;
    case 'container adopted':
      return `${name(emitter)} finds the container running and takes it over: pid ${pid}`;
    case HELD_EVENT:
      return `${name(emitter)} is held at a gate: ${gateWords(String(attributes['engineroom.gate']))}`;
    case RELEASED_EVENT:
      return `${name(emitter)} goes on: ${String(attributes['engineroom.gate.reason'] ?? 'released')}`;
    case 'reconnected to shim':
      return `${name(emitter)} connects to the shim again, which has waited`;
    default:
      return null;
  }
}

/** The actor at the beginning of a sentence. dockerd and containerd keep their small letter, as in ps. */
function name(actor: Actor, sources?: CaptionSources): string {
  const words = called(actor, sources);
  return words.startsWith('the ') ? `T${words.slice(1)}` : words;
}

/** In the middle of a sentence. */
function called(actor: Actor, sources?: CaptionSources): string {
  return actor === 'client' && sources?.clientName ? sources.clientName : inSentence(actor);
}

function quote(base64: string): string {
  const text = printable(base64).trim();
  return text === '' ? '' : `: “${text}”`;
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
