/** What an event says of itself, by its kind. */
import type {
  Attributes,
  Message,
  ProcessEvent,
  SequencedEvent,
  SyscallEvent,
} from '@engine-room/engine/protocol/trace/event.ts';
import { t } from '../messages/catalogue.ts';
import { labelOf } from '../model/actors.ts';
import type { RunModel } from '../model/run-model.ts';
import { durationWords, sizeWords } from '../model/time-words.ts';
import { Fact } from './Fact.tsx';
import { MessageBytes } from './MessageBytes.tsx';

export const EventFacts = ({ event, model }: { event: SequencedEvent; model: RunModel }) => {
  switch (event.type) {
    case 'message':
      return <MessageFacts message={event} />;
    case 'syscall':
      return <SyscallFacts call={event} />;
    case 'process':
      return <ProcessEventFacts event={event} />;
    case 'spanStarted':
    case 'spanEvent':
      return (
        <dl className="facts">
          <Fact name={t().facts.name} mono>
            {event.name}
          </Fact>
          <AttributeFacts attributes={event.attributes} />
        </dl>
      );
    case 'spanEnded': {
      const span = model.span(event.spanId);
      return (
        <dl className="facts">
          <Fact name={t().facts.name} mono>
            {span?.started?.name ?? event.spanId}
          </Fact>
          <Fact name={t().facts.outcome}>
            {event.status.code === 'ok' ? 'ok' : `✕ ${event.status.message ?? t().facts.wrong}`}
          </Fact>
          {span?.started && span.endedAt !== null && (
            <Fact name={t().facts.lasted} mono>
              {durationWords(span.endedAt - span.startedAt)}
            </Fact>
          )}
          <AttributeFacts attributes={event.attributes} />
        </dl>
      );
    }
    case 'output':
      return <MessageBytes key={event.id} body={null} raw={event} />;
    case 'dropped':
      return <p>{t().facts.hole}</p>;
  }
};

const MessageFacts = ({ message }: { message: Message }) => {
  const { from, to, protocol, direction, summary, raw, body } = message;
  return (
    <>
      <p>
        <b>
          {labelOf(from.actor)} → {labelOf(to.actor)}
        </b>{' '}
        · {protocol} {direction}
        {raw ? ` · ${sizeWords(raw.sizeBytes)}` : ''}
      </p>
      <p className="mono breaks">{summary}</p>
      <MessageBytes key={message.id} body={body} raw={raw} />
    </>
  );
};

/** As strace writes it; some emitters give the arguments alone. */
export const straceOf = ({ name, detail }: Pick<SyscallEvent, 'name' | 'detail'>): string =>
  detail.startsWith(`${name}(`) ? detail : `${name}(${detail})`;

const SyscallFacts = ({ call }: { call: SyscallEvent }) => {
  const lasted = Number(BigInt(call.endMono) - BigInt(call.mono));
  return (
    <>
      <pre className="evidence" tabIndex={0} aria-label={t().facts.systemCall}>
        {straceOf(call)} = {call.result}
        {call.errno ? ` ${call.errno}` : ''} {'<'}
        {durationWords(Math.max(0, lasted))}
        {'>'}
      </pre>
      <dl className="facts">
        <Fact name={t().facts.for}>{call.title}</Fact>
        <Fact name={t().facts.by}>
          {labelOf(call.caller.actor)} <span className="mono">pid {call.caller.pid}</span>
        </Fact>
        {call.ignored && <Fact name={t().facts.error}>{t().facts.ignored}</Fact>}
        {call.reference && (
          <Fact name={t().facts.read} mono>
            {call.reference.replace(/^man:/, 'man ')}
          </Fact>
        )}
        <AttributeFacts attributes={call.attributes} />
      </dl>
    </>
  );
};

const ProcessEventFacts = ({ event }: { event: ProcessEvent }) => {
  const { process, exit, change, actor, containerId, attributes } = event;
  return (
    <dl className="facts">
      <Fact name={t().facts.change}>{t().facts.changeOf(change, labelOf(actor))}</Fact>
      <Fact name="Pid" mono>
        {process.pid}
      </Fact>
      <Fact name={t().facts.parent} mono>
        {process.ppid ?? t().facts.notKnown}
      </Fact>
      {process.argv && process.argv.length > 0 && (
        <Fact name="Argv" mono>
          {process.argv.join(' ')}
        </Fact>
      )}
      {exit && (
        <Fact name={t().facts.exitCode} mono>
          {exit.code}
          {exit.signal ? ` (${exit.signal})` : ''}
        </Fact>
      )}
      {process.startTime && (
        <Fact name={t().facts.startTime} mono>
          {t().facts.ticks(process.startTime)}
        </Fact>
      )}
      {containerId && (
        <Fact name={t().facts.container} mono>
          {containerId.slice(0, 12)}
        </Fact>
      )}
      <AttributeFacts attributes={attributes} />
    </dl>
  );
};

export const AttributeFacts = ({ attributes }: { attributes: Attributes }) =>
  Object.entries(attributes).map(([name, value]) => (
    <Fact key={name} name={name.replace(/^engineroom\./, '')} mono>
      {Array.isArray(value) ? value.join(' ') : String(value)}
    </Fact>
  ));
