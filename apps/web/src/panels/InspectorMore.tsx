/** More about the event in the inspector, opened when wanted: what changed, the code that did it, the act in four forms. */
import '../styles/inspector-more.css';
import { useMemo, useState } from 'react';
import { t } from '../messages/catalogue.ts';
import type { Placed } from '../model/order.ts';
import type { RunModel } from '../model/run-model.ts';
import { fourForms, requestBehind } from '../model/four-forms.ts';
import { stateDiff } from '../model/state-diff.ts';
import { useTraces } from '../hooks.ts';
import { SourceExcerpt } from './SourceExcerpt.tsx';
import { Tabs } from '../ui/Tabs.tsx';

interface MoreProps {
  readonly model: RunModel;
  readonly placed: Placed;
}

export const InspectorMore = ({ model, placed }: MoreProps) => (
  <div className="inspector-more">
    <details open>
      <summary>{t().inspector.changed}</summary>
      <WhatChanged model={model} placed={placed} />
    </details>
    {placed.event.source !== undefined && (
      <Lazily summary={t().inspector.code}>
        <SourceExcerpt key={placed.event.source} source={placed.event.source} />
      </Lazily>
    )}
    <Lazily summary={t().inspector.forms}>
      <FourForms model={model} placed={placed} />
    </Lazily>
  </div>
);

/** What is closed is not computed. */
const Lazily = ({ summary, children }: { summary: string; children: React.ReactNode }) => {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>{summary}</summary>
      {isOpen && children}
    </details>
  );
};

const CHANGES_SHOWN = 14;

const WhatChanged = ({ model, placed }: MoreProps) => {
  const index = model.order.indexOf(placed.event.id) ?? 0;
  const changes = stateDiff(model.machineAt(index), model.machineAt(index + 1));
  if (changes.length === 0) return <p className="muted">{t().inspector.unchanged}</p>;
  return (
    <ul className="changes">
      {changes.slice(0, CHANGES_SHOWN).map(({ mark, words }) => (
        <li key={mark + words} data-mark={mark}>
          <span className="mono">{mark}</span> {words}
        </li>
      ))}
      {changes.length > CHANGES_SHOWN && (
        <li className="muted">{t().inspector.more(changes.length - CHANGES_SHOWN)}</li>
      )}
    </ul>
  );
};

const FORMS = ['cli', 'curl', 'go', 'typescript'] as const;
const FORM_WORDS = { cli: 'CLI', curl: 'curl', go: 'Go', typescript: 'TypeScript' } as const;
const STANDARD_SOCKET = '/run/engine-room/docker.sock';

const FourForms = ({ model, placed }: MoreProps) => {
  const [form, setForm] = useState<(typeof FORMS)[number]>('curl');
  const socket = useTraces(({ engine }) => engine?.dockerSocket ?? STANDARD_SOCKET);
  const argv = useTraces(({ runs }) => runs.get(placed.event.traceId)?.summary.argv ?? null);
  const request = useMemo(() => requestBehind(model, placed.event.id), [model, placed]);
  const forms = request ? fourForms(request, { argv, socket }) : null;
  if (!request || !forms) return <p className="muted">{t().inspector.noForms}</p>;
  const text = forms[form] ?? t().inspector.noCli;
  return (
    <>
      <p className="mono breaks">{request.summary}</p>
      <Tabs
        label={t().inspector.formsLabel}
        tabs={FORMS}
        words={FORM_WORDS}
        value={form}
        onChange={setForm}
      >
        <pre className="evidence" tabIndex={0} aria-label={FORM_WORDS[form]}>
          {text}
        </pre>
      </Tabs>
      <Copy text={text} />
    </>
  );
};

const Copy = ({ text }: { text: string }) => {
  const [copied, setCopied] = useState<string | null>(null);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(text);
    } catch {
      setCopied(null);
    }
  };
  return (
    <button type="button" className="quiet" onClick={() => void copy()}>
      {copied === text ? t().inspector.copied : t().inspector.copy}
    </button>
  );
};
