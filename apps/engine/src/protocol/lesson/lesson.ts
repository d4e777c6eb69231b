/** A lesson as the page gets it: compiled at build time from `content/lessons`, and nothing in it is code. */
import type { FrontMatter } from './front-matter.ts';
import type { CheckRequest, Observation } from './predicate.ts';

export type Inline =
  | string
  | { readonly t: 'em' | 'strong'; readonly c: readonly Inline[] }
  | { readonly t: 'code'; readonly text: string }
  | { readonly t: 'link'; readonly href: string; readonly c: readonly Inline[] }
  /** A word of the glossary, in the form that the sentence needs. */
  | { readonly t: 'term'; readonly name: string; readonly text: string }
  /** Moves the playhead to the first event of that name in a run of the lesson. */
  | { readonly t: 'step'; readonly name: string; readonly run: string };

export type Block =
  | { readonly t: 'p'; readonly c: readonly Inline[] }
  | { readonly t: 'list'; readonly ordered: boolean; readonly items: readonly (readonly Block[])[] }
  | { readonly t: 'code'; readonly text: string }
  | { readonly t: 'run' | 'predict' | 'compare'; readonly id: string; readonly c: readonly Block[] }
  /** The HTTP of these runs, side by side. */
  | { readonly t: 'requests'; readonly runs: readonly string[] }
  | { readonly t: 'check'; readonly ids: readonly string[]; readonly c: readonly Block[] }
  /** A place to type docker commands of one's own. */
  | { readonly t: 'terminal'; readonly command: string; readonly c: readonly Block[] }
  /** Kept back until the run has ended. */
  | { readonly t: 'reveal'; readonly after: string; readonly c: readonly Block[] };

export interface Screen {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export interface Lesson extends FrontMatter {
  /** The name of its folder. */
  readonly id: string;
  readonly number: number;
  readonly screens: readonly Screen[];
}

/** What a word means, in the words of this project, and the specification or manual that has the word from. */
export interface Term {
  readonly name: string;
  readonly means: string;
  readonly source: { readonly say: string; readonly href: string };
}

/** A line of the list of lessons. */
export type LessonCard = Pick<Lesson, 'id' | 'number' | 'title' | 'question' | 'minutes'>;

/** First line of a `recording.trace.gz`; then each run as a trace file of its own, one after the other. */
export interface RecordingHeader {
  readonly format: 'engine-room-lesson';
  readonly lesson: string;
  readonly recordedAt: string;
  readonly runs: CheckRequest['runs'];
  /** What the lab observed then, by the key of the predicate (`predicatesOf`). */
  readonly observations: Readonly<Record<string, Observation>>;
}
