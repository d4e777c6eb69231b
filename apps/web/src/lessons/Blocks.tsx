/** The text of a lesson. Each kind of block and of inline is named here, and nothing else can be shown. */
import type { ReactNode } from 'react';
import { namesOf } from '@engine-room/engine/protocol/lesson/event-names.ts';
import type { Block, Inline, Lesson } from '@engine-room/engine/protocol/lesson/lesson.ts';
import { useTraces } from '../hooks.ts';
import { seekEvent, playhead } from '../playback/playhead.ts';
import { chooseRun } from '../session.ts';
import { traceStore } from '../trace/trace-store.ts';
import type { LessonModule } from './catalog.ts';
import { CheckBlock } from './CheckBlock.tsx';
import { CompareBlock } from './CompareBlock.tsx';
import { PredictBlock } from './PredictBlock.tsx';
import { RequestsBlock } from './RequestsBlock.tsx';
import type { Progress } from './progress.ts';
import { RunBlock } from './RunBlock.tsx';
import { TerminalBlock } from './TerminalBlock.tsx';
import { TermNote } from './TermNote.tsx';
import { words } from '../messages/lesson-words.ts';

/** The lesson that is open, and how far the learner is in it. */
export interface Here {
  readonly module: LessonModule;
  readonly lesson: Lesson;
  readonly progress: Progress;
}

export const Blocks = ({ blocks, here }: { blocks: readonly Block[]; here: Here }): ReactNode =>
  // oxlint-disable-next-line react/no-array-index-key -- the text of a lesson does not change while it is read
  blocks.map((block, index) => <OneBlock key={index} block={block} here={here} />);

const OneBlock = ({ block, here }: { block: Block; here: Here }): ReactNode => {
  const children = 'c' in block && block.t !== 'p' && <Blocks blocks={block.c} here={here} />;
  switch (block.t) {
    case 'p':
      return (
        <p className="prose">
          <Inlines inlines={block.c} here={here} />
        </p>
      );
    case 'list': {
      const items = block.items.map((item, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- as above
        <li key={index}>
          <Blocks blocks={item} here={here} />
        </li>
      ));
      return block.ordered ? (
        <ol className="prose-list">{items}</ol>
      ) : (
        <ul className="prose-list">{items}</ul>
      );
    }
    case 'code':
      return (
        <pre className="prose-code" tabIndex={0}>
          {block.text}
        </pre>
      );
    case 'run':
      return (
        <RunBlock id={block.id} here={here}>
          {children}
        </RunBlock>
      );
    case 'predict':
      return (
        <PredictBlock id={block.id} here={here}>
          {children}
        </PredictBlock>
      );
    case 'compare':
      return (
        <CompareBlock id={block.id} here={here}>
          {children}
        </CompareBlock>
      );
    case 'requests':
      return <RequestsBlock names={block.runs} here={here} />;
    case 'check':
      return (
        <CheckBlock ids={block.ids} here={here}>
          {children}
        </CheckBlock>
      );
    case 'terminal':
      return (
        <TerminalBlock command={block.command} here={here}>
          {children}
        </TerminalBlock>
      );
    case 'reveal':
      return here.progress.runs[block.after] === undefined ? (
        <p className="muted">{words().aboutRun}</p>
      ) : (
        children
      );
  }
};

const Inlines = ({ inlines, here }: { inlines: readonly Inline[]; here: Here }): ReactNode =>
  // oxlint-disable-next-line react/no-array-index-key -- as above
  inlines.map((inline, index) => <OneInline key={index} inline={inline} here={here} />);

const OneInline = ({ inline, here }: { inline: Inline; here: Here }): ReactNode => {
  if (typeof inline === 'string') return inline;
  switch (inline.t) {
    case 'em':
      return (
        <em>
          <Inlines inlines={inline.c} here={here} />
        </em>
      );
    case 'strong':
      return (
        <strong>
          <Inlines inlines={inline.c} here={here} />
        </strong>
      );
    case 'code':
      return <code className="mono">{inline.text}</code>;
    case 'link':
      return (
        <a href={inline.href} rel="noreferrer" target="_blank">
          <Inlines inlines={inline.c} here={here} />
        </a>
      );
    case 'term':
      return <TermNote name={inline.name} text={inline.text} />;
    case 'step':
      return <Step name={inline.name} traceId={here.progress.runs[inline.run]} />;
  }
};

/** Puts the playhead on an event of the learner's own run. */
const Step = ({ name, traceId }: { name: string; traceId: string | undefined }) => {
  const isThere = useTraces(({ runs }) => traceId !== undefined && runs.has(traceId));
  if (traceId === undefined || !isThere) return <span className="mono">{name}</span>;
  const go = (): void => {
    if (playhead.getState().traceId !== traceId) chooseRun(traceId);
    const { model } = traceStore.getState().runs.get(traceId) ?? playhead.getState();
    const found = model.order.placed.find(({ event }) => namesOf(event).includes(name));
    if (found) seekEvent(found.event.id);
  };
  return (
    <button type="button" className="step-link mono" onClick={go}>
      {name}
    </button>
  );
};
