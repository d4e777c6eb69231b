/** A run that is held now: where, what the kernel says of the frozen process at this moment, and the way on. */
import '../styles/held.css';
import { useEffect, useState } from 'react';
import { t } from '../messages/catalogue.ts';
import { labelOf } from '../model/actors.ts';
import { gateWords } from '../model/gates.ts';
import { PHONE } from '../breakpoints.ts';
import { useMedia, useModelVersion, usePlayhead, useTraces } from '../hooks.ts';
import { continueRun, heldFacts } from '../session.ts';
import type { FrozenFacts } from '../trace/lab-requests.ts';
import { StatusMark } from '../stage/StatusMark.tsx';
import { Fact } from './Fact.tsx';

export const HeldCard = () => {
  useModelVersion();
  const traceId = usePlayhead((state) => state.traceId);
  const isRunning = useTraces(
    ({ runs }) => traceId !== null && runs.get(traceId)?.summary.state === 'running',
  );
  const isLive = useTraces(({ connection }) => connection.state === 'live');
  const held = usePlayhead(({ model }) => model.machineAt(model.length).held);
  const [first] = Object.values(held);
  if (!first || traceId === null || !isRunning) return null;
  return (
    <section className="held" aria-labelledby="held-title">
      <h2 id="held-title">
        <StatusMark kind="blocked" /> {t().held.title(gateWords(first.gate))}
      </h2>
      <p>
        {labelOf(first.actor)} <span className="mono">pid {first.pid}</span> {t().held.waits}{' '}
        <span className="mono">{first.gate}</span>.
      </p>
      <p>
        <button
          type="button"
          className="primary"
          aria-disabled={!isLive}
          onClick={() => isLive && void continueRun(traceId)}
        >
          {t().held.continue}
        </button>
      </p>
      <Frozen key={first.eventId} traceId={traceId} gate={first.gate} />
    </section>
  );
};

const Frozen = ({ traceId, gate }: { traceId: string; gate: string }) => {
  const isPhone = useMedia(PHONE);
  const [facts, setFacts] = useState<FrozenFacts | null>(null);
  useEffect(() => {
    let isWanted = true;
    void heldFacts(traceId, gate).then((found) => {
      if (isWanted) setFacts(found);
    });
    return () => {
      isWanted = false;
    };
  }, [traceId, gate]);
  if (!facts) return null;
  return (
    <details open={!isPhone}>
      <summary>{t().held.proc(facts.pid)}</summary>
      <dl className="facts">
        <Fact name={t().facts.name} mono>
          {facts.name}
        </Fact>
        <Fact name={t().held.state} mono>
          {facts.state}
        </Fact>
        <Fact name={t().facts.parent} mono>
          {facts.ppid}
        </Fact>
        <Fact name={t().held.pids} mono>
          {facts.pids.join(' → ')}
        </Fact>
        <Fact name={t().held.namespaces} mono>
          {facts.namespaces
            .filter(({ isOwn }) => isOwn)
            .map(({ type, inode }) => `${type}:${inode}`)
            .join(' ') || t().held.noneOwn}
        </Fact>
        <Fact name={t().held.capabilities} mono>
          {facts.capabilities}
        </Fact>
        <Fact name={t().held.seccomp} mono>
          {Object.values(t().held.seccompModes)[facts.seccomp] ?? facts.seccomp}
        </Fact>
        <Fact name={t().held.mounts} mono>
          {t().held.mountCount(facts.mounts.length, facts.mounts.at(-1)?.target ?? t().held.none)}
        </Fact>
      </dl>
    </details>
  );
};
