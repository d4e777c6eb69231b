/** Where it stands in the code: this repository's file, and the file of Docker's own projects that it follows. */
import type { Lesson } from '@engine-room/engine/protocol/lesson/lesson.ts';
import { words } from '../messages/lesson-words.ts';

export const CodePlaces = ({ places }: { places: Lesson['code'] }) => (
  <details className="code-places">
    <summary>{words().code}</summary>
    <dl>
      {places.map(({ ours, upstream, say }) => (
        <div key={ours}>
          <dt>{say}</dt>
          <dd className="mono">{ours}</dd>
          <dd className="mono muted">{words().as(upstream)}</dd>
        </div>
      ))}
    </dl>
  </details>
);
