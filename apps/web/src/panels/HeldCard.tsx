/** A run that is held now: where, what the kernel says of the frozen process at this moment, and the way on. */
import '../styles/gates.css';
import { useEffect, useState } from 'react';
import { labelOf } from '../model/actors.ts';
import { gateWords } from '../model/gates.ts';
import { useModelVersion, usePlayhead, useTraces } from '../hooks.ts';
import { continueRun, heldFacts } from '../session.ts';
import type { FrozenFacts } from '../trace/connection.ts';
import { StatusMark } from '../stage/StatusMark.tsx';
import { Fact } from './Fact.tsx';

export const HeldCard = () => {
  useModelVersion();
  const traceId = usePlayhead((state) => state.traceId);
  const isRunning = useTraces(
    ({ runs }) => traceId !== null && runs.get(traceId)?.summary.state === 'running',
  );
  const held = usePlayhead(({ model }) => model.machineAt(model.length).held);
  const [first] = Object.values(held);
  if (!first || traceId === null || !isRunning) return null;
  return (
    <section className="held" aria-labelledby="held-title">
      <h2 id="held-title">
        <StatusMark kind="blocked" /> Held: {gateWords(first.gate)}
      </h2>
      <p>
        {labelOf(first.actor)} <span className="mono">pid {first.pid}</span> waits at{' '}
        <span className="mono">{first.gate}</span>.
      </p>
      <p>
        <button type="button" className="primary" onClick={() => void continueRun(traceId)}>
          Continue
        </button>
      </p>
      <Frozen key={first.eventId} traceId={traceId} gate={first.gate} />
    </section>
  );
};

const Frozen = ({ traceId, gate }: { traceId: string; gate: string }) => {
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
    <details open>
      <summary>What /proc says of pid {facts.pid} now</summary>
      <dl className="facts">
        <Fact name="Name" mono>
          {facts.name}
        </Fact>
        <Fact name="State" mono>
          {facts.state}
        </Fact>
        <Fact name="Parent" mono>
          {facts.ppid}
        </Fact>
        <Fact name="Pids" mono>
          {facts.pids.join(' → ')}
        </Fact>
        <Fact name="Namespaces" mono>
          {facts.namespaces
            .filter(({ isOwn }) => isOwn)
            .map(({ type, inode }) => `${type}:${inode}`)
            .join(' ') || 'none of its own'}
        </Fact>
        <Fact name="Capabilities" mono>
          {facts.capabilities}
        </Fact>
        <Fact name="Seccomp" mono>
          {['off', 'strict', 'filter'][facts.seccomp] ?? facts.seccomp}
        </Fact>
        <Fact name="Mounts" mono>
          {facts.mounts.length}, the last: {facts.mounts.at(-1)?.target ?? 'none'}
        </Fact>
      </dl>
    </details>
  );
};
