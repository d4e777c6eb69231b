/**
 * Everything that the page can do, by name: what the keys do, what the menus do, and the runs, lessons and processes
 * that one can go to. What makes no sense now is not in the list.
 */
import { cardsIn, languageOfPage } from '../lessons/catalog.ts';
import { chooseLanguage, languageStore, t } from '../messages/catalogue.ts';
import { commandWords } from '../messages/command-words.ts';
import { castOf, labelOf } from '../model/actors.ts';
import { runTitle } from '../model/caption.ts';
import { LEVELS } from '../model/levels.ts';
import { LANGUAGE_NAMES } from '../panels/LanguageChoice.tsx';
import { SCENARIOS } from '../panels/scenarios.ts';
import { playhead, setLevel } from '../playback/playhead.ts';
import { openDialog, openLesson, readerStore, select, setLetterKeys } from '../reader-store.ts';
import { presentStore } from '../rooms/present-store.ts';
import { present } from '../rooms/start.ts';
import {
  copyLink,
  pickTraceFile,
  saveOtlp,
  savePage,
  savePicture,
  saveTrace,
} from '../run-files.ts';
import { chooseRun, sendRequest } from '../session.ts';
import { SHORTCUTS } from '../shortcuts.ts';
import { themeStore, toggleTheme } from '../theme.ts';
import { traceStore } from '../trace/trace-store.ts';
import { actWords, keyWords } from './act-words.ts';

type Group = 'time' | 'look' | 'send' | 'file' | 'show' | 'runs' | 'lessons' | 'page';

export interface Command {
  readonly id: string;
  readonly group: Group;
  readonly words: string;
  /** Beside the words: a command line, or the key that does the same. */
  readonly aside: string | null;
  readonly isKey?: boolean;
  readonly act: () => void;
}

const GROUPS: readonly Group[] = [
  'send',
  'time',
  'look',
  'page',
  'file',
  'show',
  'lessons',
  'runs',
];

export const commandsNow = (): readonly Command[] => {
  const all = [
    ...requests(),
    ...byKeys(),
    ...views(),
    ...ofPage(),
    ...files(),
    ...actors(),
    ...lessons(),
    ...runs(),
  ];
  return GROUPS.flatMap((group) => all.filter((command) => command.group === group));
};

const LOOK: ReadonlySet<string> = new Set([
  'zoom',
  'focus',
  'filter',
  'follow',
  'projector',
  'mirror',
]);
const PAGE: ReadonlySet<string> = new Set(['break', 'hold', 'compare']);
/** The same as another, or what is open already. */
const LEFT_OUT: ReadonlySet<string> = new Set(['pageDown', 'pageUp', 'palette', 'keys']);

function byKeys(): readonly Command[] {
  const isPresenting = presentStore.getState().opened !== null;
  return SHORTCUTS.filter(
    ({ name }) => !LEFT_OUT.has(name) && (name !== 'mirror' || isPresenting),
  ).map((shortcut) => ({
    id: `key ${shortcut.shown}`,
    group: LOOK.has(shortcut.name) ? 'look' : PAGE.has(shortcut.name) ? 'page' : 'time',
    words: actWords(shortcut),
    aside: keyWords(shortcut),
    isKey: true,
    act: () => shortcut.act(),
  }));
}

function views(): readonly Command[] {
  const docks = ['timeline', 'events', 'processes', 'narration', 'terminal'] as const;
  return [
    ...LEVELS.map((level) => ({
      id: `zoom ${level}`,
      group: 'look' as const,
      words: `${t().transport.zoom}: ${t().transport.levels[level]}`,
      aside: null,
      act: () => setLevel(level),
    })),
    ...docks.map((dock) => ({
      id: `dock ${dock}`,
      group: 'look' as const,
      words: t().dock[dock],
      aside: null,
      act: () => readerStore.setState({ dock }),
    })),
  ];
}

function requests(): readonly Command[] {
  const { connection, engine } = traceStore.getState();
  if (connection.state !== 'live' || engine?.canLaunch === false) return [];
  return SCENARIOS.map(({ name, command }) => ({
    id: `send ${name}`,
    group: 'send',
    words: t().scenarios[name],
    aside: command,
    act: () => void sendRequest(command),
  }));
}

function files(): readonly Command[] {
  const words = commandWords().menu;
  const { runs } = traceStore.getState();
  const { traceId } = playhead.getState();
  const run = traceId === null ? undefined : runs.get(traceId);
  const file = (id: string, said: string, act: () => void): Command => ({
    id,
    group: 'file',
    words: said,
    aside: null,
    act,
  });
  const open = file('open', words.open, pickTraceFile);
  if (!run) return [open];
  return [
    file('link', words.link, () => void copyLink()),
    file('save', words.save, () => void saveTrace(run)),
    file('html', words.html, () => void savePage(run)),
    file('otlp', words.otlp, () => saveOtlp(run)),
    file('png', words.png, () => void savePicture(run, 'png')),
    file('svg', words.svg, () => void savePicture(run, 'svg')),
    open,
  ];
}

function actors(): readonly Command[] {
  const { model } = playhead.getState();
  return castOf(model.machineAt(model.length)).map(({ actor, glyph }) => ({
    id: `actor ${actor}`,
    group: 'show',
    words: commandWords().menu.inspect(labelOf(actor)),
    aside: glyph,
    act: () => select({ actor }),
  }));
}

function ofPage(): readonly Command[] {
  const words = commandWords().menu;
  const { lesson, hasLetterKeys } = readerStore.getState();
  const other = languageStore.getState().language === 'en' ? 'de' : 'en';
  const isLive = traceStore.getState().connection.state === 'live';
  const command = (
    id: string,
    said: string,
    act: () => void,
    aside: string | null = null,
  ): Command => ({
    id,
    group: 'page',
    words: said,
    aside,
    act,
  });
  return [
    command('lessons', lesson === null ? words.openLessons : words.closeLessons, () =>
      openLesson(lesson === null ? '' : null),
    ),
    ...(isLive && presentStore.getState().opened === null
      ? [command('present', words.present, () => void present())]
      : []),
    command(
      'theme',
      themeStore.getState().theme === 'dark' ? words.light : words.dark,
      toggleTheme,
    ),
    command('language', LANGUAGE_NAMES[other], () => void chooseLanguage(other)),
    command('letters', hasLetterKeys ? words.letterKeysOff : words.letterKeysOn, () =>
      setLetterKeys(!hasLetterKeys),
    ),
    { ...command('keys', words.allKeys, () => openDialog('keys'), '?'), isKey: true },
  ];
}

const lessons = (): readonly Command[] =>
  cardsIn(languageOfPage()).map(({ id, number, title }) => ({
    id: `lesson ${id}`,
    group: 'lessons',
    words: `${number}. ${title}`,
    aside: null,
    act: () => openLesson(id),
  }));

const runs = (): readonly Command[] =>
  [...traceStore.getState().runs.values()].map(({ summary: { traceId, title, origin } }) => ({
    id: `run ${traceId}`,
    group: 'runs',
    words: runTitle(title),
    aside: t().runs[origin],
    act: () => chooseRun(traceId),
  }));
