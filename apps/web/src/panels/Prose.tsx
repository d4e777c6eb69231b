/**
 * A page of content/ as React elements: headings, paragraphs, lists, `code`. So little of Markdown is needed that a
 * library would be most of what is loaded; and nothing in a page can become HTML.
 */
import { Inline } from '../ui/Inline.tsx';

type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] };

/** The title is left to whoever shows the page. */
const blocksOf = (markdown: string): readonly Block[] =>
  markdown
    .split(/\n{2,}/)
    .map((block) => block.trim())
    .filter((block) => block !== '' && !block.startsWith('# '))
    .map((block): Block => {
      if (block.startsWith('## ')) return { kind: 'heading', text: block.slice(3) };
      if (!block.startsWith('- ')) return { kind: 'paragraph', text: block };
      return { kind: 'list', items: block.split(/\n- /).map((item) => item.replace(/^- /, '')) };
    });

export const Prose = ({ markdown }: { markdown: string }) => (
  <div className="prose">
    {blocksOf(markdown).map((block, index) => {
      if (block.kind === 'heading') return <h4 key={index}>{block.text}</h4>;
      if (block.kind === 'paragraph')
        return (
          <p key={index}>
            <Inline text={block.text} />
          </p>
        );
      return (
        <ul key={index}>
          {block.items.map((item) => (
            <li key={item}>
              <Inline text={item} />
            </li>
          ))}
        </ul>
      );
    })}
  </div>
);
