/** What the container's program has written so far, byte for byte as text; stderr is marked. */
import { useMemo } from 'react';
import { bytesOf } from '../model/byte-links.ts';
import { outputOf } from '../model/machine.ts';
import { sizeWords } from '../model/time-words.ts';
import { useModelVersion, usePlayhead } from '../hooks.ts';

const SHOWN_LIMIT = 20_000;

interface Piece {
  readonly stream: string;
  readonly text: string;
}

export const ContainerOutput = () => {
  useModelVersion();
  const tail = usePlayhead(({ model, n }) => model.machineAt(n).output);
  const bytes = usePlayhead(({ model, n }) => model.machineAt(n).outputBytes);
  const pieces = useMemo(() => piecesOf(outputOf({ output: tail })), [tail]);
  return (
    <section className="output" aria-labelledby="output-title">
      <h2 id="output-title">Container output {bytes > 0 && <small>{sizeWords(bytes)}</small>}</h2>
      <pre tabIndex={0} aria-labelledby="output-title" data-testid="container-output">
        {pieces.length === 0 ? (
          <span className="muted">Nothing written yet.</span>
        ) : (
          pieces.map(({ stream, text }, index) => (
            <span key={index} data-stream={stream}>
              {text}
            </span>
          ))
        )}
      </pre>
    </section>
  );
};

/** One decoder for each stream: a character may be split between two writes. */
function piecesOf(events: ReturnType<typeof outputOf>): readonly Piece[] {
  const decoders = new Map<string, TextDecoder>();
  const pieces: Piece[] = [];
  let length = 0;
  for (const { stream, base64, truncated } of events) {
    const decoder = decoders.get(stream) ?? new TextDecoder();
    decoders.set(stream, decoder);
    const text =
      printable(decoder.decode(bytesOf(base64), { stream: true })) + (truncated ? ' […] ' : '');
    length += text.length;
    pieces.push({ stream, text });
  }
  while (length > SHOWN_LIMIT && pieces.length > 1) length -= pieces.shift()?.text.length ?? 0;
  return pieces;
}

/** Without what only a terminal understands: escape sequences and other control characters. */
const printable = (text: string): string =>
  text
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')
    .replace(/\r\n/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '·');
