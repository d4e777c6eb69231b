/** What the container's program and the client itself have written so far, as text; stderr is marked. */
import { useMemo } from 'react';
import { t } from '../messages/catalogue.ts';
import { bytesOf } from '../model/byte-links.ts';
import { clientTextOf, outputOf, writerOf, type ClientTail } from '../model/machine.ts';
import { plainText } from '../model/plain-text.ts';
import { sizeWords } from '../model/time-words.ts';
import { useModelVersion, usePlayhead } from '../hooks.ts';

const SHOWN_LIMIT = 20_000;
const LEFT_OUT = ' […] ';

interface Piece {
  readonly stream: string;
  readonly text: string;
}

export const ContainerOutput = () => {
  useModelVersion();
  const tail = usePlayhead(({ model, n }) => model.machineAt(n).output);
  const bytes = usePlayhead(({ model, n }) => model.machineAt(n).outputBytes);
  const client = usePlayhead(({ model, n }) => model.machineAt(n).client);
  const reader = usePlayhead(({ model }) => model.clientName);
  const printed = useMemo(() => printedBy(client), [client]);
  const pieces = useMemo(() => piecesOf(outputOf({ output: tail })), [tail]);
  return (
    <section className="output" aria-labelledby="output-title">
      <h2 id="output-title">
        {t().output.title} {bytes > 0 && <small>{sizeWords(bytes)}</small>}
      </h2>
      <pre tabIndex={0} aria-labelledby="output-title" data-testid="container-output">
        {pieces.length === 0 ? (
          <span className="muted">
            {reader === null ? t().output.nothing : t().output.elsewhere(reader)}
          </span>
        ) : (
          <Pieces of={pieces} />
        )}
      </pre>
      {printed.length > 0 && (
        <>
          <h3 id="terminal-title">{t().output.client}</h3>
          <pre tabIndex={0} aria-labelledby="terminal-title" data-testid="client-output">
            <Pieces of={printed} />
          </pre>
        </>
      )}
    </section>
  );
};

const Pieces = ({ of: pieces }: { readonly of: readonly Piece[] }) =>
  pieces.map(({ stream, text }, index) => (
    <span key={index} data-stream={stream}>
      {text}
    </span>
  ));

/** The end of what the client printed: the rest is in the events. */
function printedBy(client: ClientTail | null): readonly Piece[] {
  const pieces = clientTextOf(client).map(({ stream, text }) => ({
    stream,
    text: plainText(text).slice(-SHOWN_LIMIT),
  }));
  return lastOf(pieces);
}

/** Each writer is read on its own: it may split a character between two writes, and another may write in between. */
function piecesOf(events: ReturnType<typeof outputOf>): readonly Piece[] {
  const writers = new Map<string, { readonly decoder: TextDecoder; end: number }>();
  const pieces: Piece[] = [];
  for (const event of events) {
    const { stream, offset, sizeBytes, base64, truncated } = event;
    const name = writerOf(event);
    const writer = writers.get(name) ?? { decoder: new TextDecoder(), end: offset };
    writers.set(name, writer);
    const isGap = offset > writer.end;
    // What was cut has its mark already.
    writer.end = truncated ? Infinity : offset + sizeBytes;
    const text = plainText(writer.decoder.decode(bytesOf(base64), { stream: true }));
    pieces.push({ stream, text: (isGap ? LEFT_OUT : '') + text + (truncated ? LEFT_OUT : '') });
  }
  return lastOf(pieces);
}

function lastOf(pieces: readonly Piece[]): readonly Piece[] {
  let length = 0;
  let first = pieces.length;
  while (first > 0) {
    length += pieces[first - 1]?.text.length ?? 0;
    if (length > SHOWN_LIMIT && first < pieces.length) break;
    first -= 1;
  }
  return pieces.slice(first);
}
