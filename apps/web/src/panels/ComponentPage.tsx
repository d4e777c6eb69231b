/** What an actor is and why it exists: its page from content/components/, in the language of the page. */
import '../styles/inspector-more.css';
import { languageStore } from '../messages/catalogue.ts';
import type { StageActor } from '../model/actors.ts';
import { Prose } from './Prose.tsx';

const FOLDER = '../../../../content/components';
/** `docker.md` is the original, `docker.de.md` the same in German. */
const PAGES = import.meta.glob<string>('../../../../content/components/*.md', {
  query: '?raw',
  import: 'default',
  eager: true,
});

const pageOf = (actor: StageActor): string =>
  PAGES[`${FOLDER}/${actor}.${languageStore.getState().language}.md`] ??
  PAGES[`${FOLDER}/${actor}.md`] ??
  '';

export const ComponentPage = ({ actor }: { actor: StageActor }) => {
  const page = pageOf(actor);
  return (
    <section className="component-page" aria-labelledby="component-title">
      <h3 id="component-title">{page.slice(2, page.indexOf('\n'))}</h3>
      <Prose markdown={page} />
    </section>
  );
};
