/** The failure lab: which process gets which signal. It asks once, and then it is real. */
import '../styles/break.css';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import type { Fault } from '@engine-room/engine/protocol/trace/fault.ts';
import { livingPairs } from '../model/breakable.ts';
import { useModelVersion, usePlayhead, useReader, useTraces } from '../hooks.ts';
import { readerStore } from '../reader-store.ts';
import { breakEngine } from '../session.ts';

interface Choice {
  readonly key: string;
  readonly fault: Fault;
  readonly container?: string;
  readonly title: string;
  readonly words: string;
  /** Null when there is nothing that could get the signal. */
  readonly pid: number | null;
}

const close = (): void => readerStore.setState({ isBreakOpen: false });

export const BreakDialog = () => {
  const isOpen = useReader((state) => state.isBreakOpen);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} className="break" aria-labelledby="break-title" onClose={close}>
      {isOpen && <BreakForm />}
    </dialog>
  );
};

const BreakForm = () => {
  const choices = useChoices();
  const preferred = useReader(({ selected }) =>
    selected && 'actor' in selected ? selected.actor : null,
  );
  const first = choices.find(
    ({ fault, pid }) => pid !== null && (preferred === null || fault === `kill-${preferred}`),
  );
  const [chosen, setChosen] = useState(first?.key ?? null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isSending, setIsSending] = useState(false);
  const isLive = useTraces(({ connection }) => connection.state === 'live');
  const choice = choices.find(({ key }) => key === chosen);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!choice || !isLive || isSending) return;
    setIsSending(true);
    const { fault, container } = choice;
    const refusal = await breakEngine(container === undefined ? { fault } : { fault, container });
    setIsSending(false);
    setProblem(refusal);
    if (refusal === null) close();
  };

  return (
    <form onSubmit={(event) => void submit(event)}>
      <h2 id="break-title">Break the engine</h2>
      <p className="muted">
        A real signal to a real process of this engine, and the trace tells what came of it. The
        daemons are started again, as systemd would.
      </p>
      <fieldset>
        <legend className="sr-only">What to break</legend>
        {choices.map(({ key, title, words, pid }) => (
          <label key={key} data-off={pid === null}>
            <input
              type="radio"
              name="fault"
              value={key}
              checked={key === chosen}
              disabled={pid === null}
              onChange={() => setChosen(key)}
            />
            <span>
              <b>{title}</b>
              {pid !== null && <span className="mono"> pid {pid}</span>}
              <span className="break-words">{words}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <div role="alert">{problem !== null && <p className="problem">✕ {problem}</p>}</div>
      {!isLive && <p className="problem">There is no engine here that could be broken.</p>}
      <p className="break-buttons">
        <button type="submit" className="primary" aria-disabled={!choice || !isLive || isSending}>
          {isSending ? 'Sending…' : 'Send the signal'}
        </button>
        <button type="button" onClick={close}>
          Leave it whole
        </button>
      </p>
    </form>
  );
};

function useChoices(): readonly Choice[] {
  useModelVersion();
  const machine = usePlayhead(({ model }) => model.machineAt(model.length));
  const traceId = usePlayhead((state) => state.traceId);
  const isRecorded = useTraces(
    ({ runs }) => traceId !== null && runs.get(traceId)?.summary.origin === 'recording',
  );
  const daemons = useTraces(({ engine }) => engine?.daemons ?? NONE);
  const pidOf = (actor: string): number | null =>
    daemons.find((daemon) => daemon.actor === actor && daemon.state === 'running')?.pid ?? null;
  const pairs = isRecorded ? [] : livingPairs(machine);
  return [
    {
      key: 'dockerd',
      fault: 'kill-dockerd',
      title: 'Kill dockerd',
      words: 'SIGKILL: a crash, with no time to say goodbye.',
      pid: pidOf('dockerd'),
    },
    {
      key: 'containerd',
      fault: 'kill-containerd',
      title: 'Kill containerd',
      words: 'SIGKILL: dockerd loses the line to it.',
      pid: pidOf('containerd'),
    },
    ...(pairs.length === 0 ? [NO_CONTAINER] : pairs).flatMap((pair) => [
      {
        key: `shim ${pair.containerId}`,
        fault: 'kill-shim' as const,
        container: pair.containerId,
        title: 'Kill the shim',
        words: `SIGKILL: the parent of ${nameOf(pair)}.`,
        pid: pair.shim?.pid ?? null,
      },
      {
        key: `container ${pair.containerId}`,
        fault: 'kill-container' as const,
        container: pair.containerId,
        title: 'Kill the container',
        words: `SIGKILL: process 1 of ${nameOf(pair)}.`,
        pid: pair.init?.pid ?? null,
      },
    ]),
    {
      key: 'stop',
      fault: 'stop-dockerd',
      title: 'Stop dockerd in good order',
      words: 'SIGTERM, live-restore off: Docker’s default.',
      pid: pidOf('dockerd'),
    },
    {
      key: 'restore',
      fault: 'stop-dockerd-live-restore',
      title: 'Stop dockerd with live-restore',
      words: 'daemon.json and SIGHUP first, then SIGTERM.',
      pid: pidOf('dockerd'),
    },
  ];
}

const NONE: readonly never[] = [];
const NO_CONTAINER = { containerId: '', init: null, shim: null };

const nameOf = ({ containerId, init }: { containerId: string; init: unknown }): string =>
  init === null ? 'a container that still runs (this run has none)' : containerId.slice(0, 12);
