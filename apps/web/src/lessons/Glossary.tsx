/** All words of the glossary, below the list of lessons. */
import { TERMS } from './glossary.ts';
import { words } from '../messages/lesson-words.ts';

export const Glossary = () => (
  <details className="glossary">
    <summary>{words().glossary(TERMS.length)}</summary>
    <dl>
      {TERMS.map(({ name, means, source }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {means}{' '}
            <a href={source.href} rel="noreferrer" target="_blank">
              {source.say}
            </a>
          </dd>
        </div>
      ))}
    </dl>
  </details>
);
