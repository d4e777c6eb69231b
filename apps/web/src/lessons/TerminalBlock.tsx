/** A command line of the learner's own, under the policy of the page; its answer stands below, its trace on the stage. */
import { useId, useState, type ReactNode } from 'react';
import { useTraces } from '../hooks.ts';
import { sendRequest } from '../session.ts';
import type { Here } from './Blocks.tsx';
import { usesRecording } from './lesson-session.ts';
import { writtenIn } from './written.ts';
import { words } from './words.ts';

interface Sent {
  readonly command: string;
  /** Null when it was refused. */
  readonly traceId: string | null;
  readonly problem: string | null;
}

export const TerminalBlock = ({
  command: first,
  here: { lesson },
  children,
}: {
  command: string;
  here: Here;
  children: ReactNode;
}) => {
  const id = useId();
  const [command, setCommand] = useState(first);
  const [isSending, setIsSending] = useState(false);
  const [sent, setSent] = useState<Sent | null>(null);
  useTraces(({ connection }) => connection.state);
  const needsEngine = usesRecording(lesson.id);
  const send = async (): Promise<void> => {
    setIsSending(true);
    const answer = await sendRequest(command);
    setIsSending(false);
    if (answer === null) setSent({ command, traceId: null, problem: words().anotherOnWay });
    else if ('message' in answer) setSent({ command, traceId: null, problem: answer.message });
    else setSent({ command, traceId: answer.traceId, problem: null });
  };
  return (
    <form
      className="block block-terminal"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isSending && !needsEngine) void send();
      }}
    >
      {children}
      <label htmlFor={id}>{words().yourCommand}</label>
      <p className="terminal-line mono">
        <span aria-hidden="true">$ </span>
        <input
          id={id}
          className="mono"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          maxLength={1000}
          value={command}
          onChange={({ target }) => setCommand(target.value)}
        />
        <button type="submit" aria-disabled={isSending || needsEngine}>
          {isSending ? words().sending : words().send}
        </button>
      </p>
      <div role="status">
        {needsEngine && <p className="muted">{words().noEngine}</p>}
        {sent?.problem != null && <p className="problem">{sent.problem}</p>}
      </div>
      {sent?.traceId != null && <Answer command={sent.command} traceId={sent.traceId} />}
    </form>
  );
};

const Answer = ({ command, traceId }: { command: string; traceId: string }) => {
  useTraces(({ revision }) => revision);
  const run = useTraces(({ runs }) => runs.get(traceId));
  const text = run ? writtenIn(run.model.machineAt(run.model.length)) : '';
  const { exitCode = null } = run?.summary ?? {};
  return (
    <pre className="prose-code" tabIndex={0} aria-label={words().printed(command)}>
      {text}
      {exitCode === null ? (
        <span className="muted">{words().running}</span>
      ) : (
        <span className="muted">{words().exit(exitCode)}</span>
      )}
    </pre>
  );
};
