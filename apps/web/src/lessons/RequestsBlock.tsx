/** The HTTP that several runs have sent, side by side: whatever the language, it is the same API. */
import './requests.css';
import { commandOf } from '@engine-room/engine/protocol/lesson/runs.ts';
import { useTraces } from '../hooks.ts';
import { requestsOf } from '../model/client-requests.ts';
import type { Here } from './Blocks.tsx';
import { words } from '../messages/lesson-words.ts';

export const RequestsBlock = ({
  names,
  here: { lesson, progress },
}: {
  names: readonly string[];
  here: Here;
}) => {
  const runs = useTraces((state) => state.runs);
  useTraces((state) => state.revision);
  const rows = names.flatMap((name) => {
    const run = lesson.runs[name];
    const told = runs.get(progress.runs[name] ?? '');
    if (!run || !told) return [];
    const requests = requestsOf(told.model.order.placed.map(({ event }) => event));
    return [{ name, line: commandOf(run), requests }];
  });
  if (rows.length === 0) return <p className="muted">{words().aboutRuns}</p>;
  return (
    <table className="requests" aria-label={words().http}>
      <thead>
        <tr>
          <th scope="col">{words().request}</th>
          <th scope="col">{words().answer}</th>
        </tr>
      </thead>
      {rows.map(({ name, line, requests }) => (
        <tbody key={name}>
          <tr>
            <th scope="rowgroup" colSpan={2}>
              <span className="mono">{line}</span>
              <span className="muted">{words().userAgent(requests[0]?.userAgent ?? '–')}</span>
            </th>
          </tr>
          {requests.map(({ id, request, answer }) => (
            <tr key={id} className="mono">
              <td>{request}</td>
              <td>{answer ?? '…'}</td>
            </tr>
          ))}
        </tbody>
      ))}
    </table>
  );
};
