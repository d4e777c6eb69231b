/** The failure lab: which process gets which signal. It asks once, and then it is real. */
import { useState, type FormEvent } from 'react';
import type { Fault } from '@engine-room/engine/protocol/trace/fault.ts';
import { t } from '../messages/catalogue.ts';
import { livingPairs } from '../model/breakable.ts';
import { useModelVersion, usePlayhead, useReader, useTraces } from '../hooks.ts';
import { closeDialog } from '../reader-store.ts';
import { breakEngine } from '../session.ts';
import { Dialog } from './Dialog.tsx';

interface Choice {
  readonly key: string;
  readonly fault: Fault;
  readonly container?: string;
  readonly title: string;
  readonly words: string;
  /** Null when there is nothing that could get the signal. */
  readonly pid: number | null;
}

const close = (): void => closeDialog('break');

export const BreakDialog = () => (
  <Dialog name="break" title={t().break.title}>
    <BreakForm />
  </Dialog>
);

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
      <p className="muted">{t().break.words}</p>
      <fieldset>
        <legend className="sr-only">{t().break.what}</legend>
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
              <span className="dialog-words">{words}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <div role="alert">{problem !== null && <p className="problem">✕ {problem}</p>}</div>
      {!isLive && <p className="problem">{t().break.noEngine}</p>}
      <p className="dialog-buttons">
        <button type="submit" className="primary" aria-disabled={!choice || !isLive || isSending}>
          {isSending ? t().command.sending : t().break.send}
        </button>
        <button type="button" onClick={close}>
          {t().break.leave}
        </button>
      </p>
    </form>
  );
};

function useChoices(): readonly Choice[] {
  const words = t().break;
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
      title: words.kill('dockerd'),
      words: words.dockerd,
      pid: pidOf('dockerd'),
    },
    {
      key: 'containerd',
      fault: 'kill-containerd',
      title: words.kill('containerd'),
      words: words.containerd,
      pid: pidOf('containerd'),
    },
    ...(pairs.length === 0 ? [NO_CONTAINER] : pairs).flatMap((pair) => [
      {
        key: `shim ${pair.containerId}`,
        fault: 'kill-shim' as const,
        container: pair.containerId,
        title: words.kill(words.theShim),
        words: words.shim(nameOf(pair)),
        pid: pair.shim?.pid ?? null,
      },
      {
        key: `container ${pair.containerId}`,
        fault: 'kill-container' as const,
        container: pair.containerId,
        title: words.kill(words.theContainer),
        words: words.container(nameOf(pair)),
        pid: pair.init?.pid ?? null,
      },
    ]),
    {
      key: 'stop',
      fault: 'stop-dockerd',
      title: words.stop,
      words: words.stopWords,
      pid: pidOf('dockerd'),
    },
    {
      key: 'restore',
      fault: 'stop-dockerd-live-restore',
      title: words.restore,
      words: words.restoreWords,
      pid: pidOf('dockerd'),
    },
  ];
}

const NONE: readonly never[] = [];
const NO_CONTAINER = { containerId: '', init: null, shim: null };

const nameOf = ({ containerId, init }: { containerId: string; init: unknown }): string =>
  init === null ? t().break.noContainer : containerId.slice(0, 12);
