/** A line of text in which `such words` are set as code. Nothing in it can become HTML. */
export const Inline = ({ text }: { text: string }) =>
  text.split(/(`[^`]+`)/).map((piece, index) =>
    piece.startsWith('`') && piece.endsWith('`') ? (
      <code key={index} className="mono">
        {piece.slice(1, -1)}
      </code>
    ) : (
      piece
    ),
  );
