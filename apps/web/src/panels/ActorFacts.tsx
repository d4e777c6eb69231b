/** One actor at the playhead: its process, what it has open, and for the kernel what it holds. */
import { t } from '../messages/catalogue.ts';
import { factsOf, labelOf, type StageActor } from '../model/actors.ts';
import { statusOf } from '../model/actor-status.ts';
import { kernelChips } from '../model/kernel-chips.ts';
import type { Machine, ProcessView } from '../model/machine.ts';
import { labelIn } from '../model/swapped.ts';
import { durationWords, offsetMs } from '../model/time-words.ts';
import { useMachine } from '../hooks.ts';
import { AttributeFacts, straceOf } from './EventFacts.tsx';
import { Fact } from './Fact.tsx';

interface ActorFactsProps {
  readonly actor: StageActor;
  readonly containerId: string | null;
}

export const ActorFacts = ({ actor, containerId }: ActorFactsProps) => {
  const machine = useMachine(containerId);
  const facts = factsOf(actor);
  const status = statusOf(machine, actor);
  const others = Object.values(machine.processes).filter(
    (process) => process.actor === actor && process.pid !== status.process?.pid,
  );
  return (
    <>
      <h2 id="inspector-title">
        {t().inspector.title} · <span aria-hidden="true">{facts?.glyph} </span>
        {labelIn(machine, actor)}
      </h2>
      <p className="inspector-sentence">{status.words}</p>
      {actor === 'kernel' ? (
        <KernelFacts machine={machine} />
      ) : (
        status.process && <ProcessFacts process={status.process} machine={machine} />
      )}
      <OpenWork machine={machine} actor={actor} />
      {others.length > 0 && (
        <>
          <h3>{t().facts.others}</h3>
          {others.map(({ pid, argv, name, exit }) => (
            <p key={pid} className="mono breaks">
              {pid} {argv.slice(0, 2).join(' ') || name}{' '}
              {exit ? `· ${t().facts.exited(String(exit.code ?? ''))}` : ''}
            </p>
          ))}
        </>
      )}
    </>
  );
};

const ProcessFacts = ({ process, machine }: { process: ProcessView; machine: Machine }) => {
  const parent = process.ppid === null ? undefined : machine.processes[String(process.ppid)];
  return (
    <dl className="facts">
      <Fact name="Pid" mono>
        {process.pid}
      </Fact>
      <Fact name={t().facts.parent} mono>
        {process.ppid === null
          ? t().facts.notTold
          : `${process.ppid}${parent ? ` (${parent.name})` : ''}`}
        {process.formerParents.length > 0 && t().facts.before(process.formerParents.join(', '))}
      </Fact>
      {process.argv.length > 0 && (
        <Fact name="Argv" mono>
          {process.argv.join(' ')}
        </Fact>
      )}
      <Fact name={t().facts.born}>
        {process.bornAt === null
          ? process.claimed
            ? t().facts.claimed
            : t().facts.bornBefore
          : `+${offsetMs(process.bornAt)} ms`}
      </Fact>
      {process.exit && (
        <Fact name={t().facts.exit} mono>
          {process.exit.code === null ? t().facts.codeNotSeen : t().facts.code(process.exit.code)}
          {process.exit.signal ? ` (${process.exit.signal})` : ''}{' '}
          {t().facts.at(offsetMs(process.exit.at))}
        </Fact>
      )}
      {process.exit && process.bornAt !== null && (
        <Fact name={t().facts.lived} mono>
          {durationWords(process.exit.at - process.bornAt)}
        </Fact>
      )}
      <AttributeFacts attributes={process.attributes} />
    </dl>
  );
};

const KernelFacts = ({ machine }: { machine: Machine }) => (
  <>
    <dl className="facts">
      {kernelChips(machine).map(({ key, label, value }) => (
        <Fact key={key} name={label} mono>
          {value || t().facts.made}
        </Fact>
      ))}
      {machine.cgroup.path && (
        <Fact name={t().facts.cgroupPath} mono>
          {machine.cgroup.path}
        </Fact>
      )}
      {Object.entries(machine.cgroup.files).map(([file, value]) => (
        <Fact key={file} name={file} mono>
          {value}
        </Fact>
      ))}
    </dl>
    <h3>{t().facts.latestCalls}</h3>
    {Object.values(machine.kernel)
      .flatMap(({ latest }) => latest)
      .sort((a, b) => (BigInt(a.mono) < BigInt(b.mono) ? -1 : 1))
      .slice(-12)
      .map((call) => (
        <p key={call.id} className="mono breaks">
          {straceOf(call)} = {call.result}
        </p>
      ))}
  </>
);

const OpenWork = ({ machine, actor }: { machine: Machine; actor: StageActor }) => {
  const spans = Object.values(machine.openSpans).filter(
    (span) => span.actor === actor && span.kind !== 'client',
  );
  const calls = Object.values(machine.calls).filter(({ from }) => from === actor);
  return (
    <>
      {spans.length > 0 && <h3>{t().facts.working}</h3>}
      {spans.map(({ spanId, name }) => (
        <p key={spanId} className="mono breaks">
          {name}
        </p>
      ))}
      {calls.length > 0 && <h3>{t().facts.waitingFor}</h3>}
      {calls.map(({ messageId, to, summary }) => (
        <p key={messageId} className="breaks">
          {labelOf(to)}: <span className="mono">{summary}</span>
        </p>
      ))}
    </>
  );
};
