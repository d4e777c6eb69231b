import { afterEach, beforeEach, expect, test } from 'vitest';
import { aRun } from './model/a-run.fixture.ts';
import { RunModel } from './model/run-model.ts';
import { openRun, playhead } from './playback/playhead.ts';
import { readerStore, setLetterKeys } from './reader-store.ts';
import { listenToKeys } from './shortcuts.ts';

const press = (key: string): void => {
  window.dispatchEvent(new KeyboardEvent('keydown', { key }));
};

let stop = (): void => undefined;
beforeEach(() => {
  stop = listenToKeys();
  const model = new RunModel();
  model.add(aRun());
  openRun('a run', model);
});
afterEach(() => {
  stop();
  setLetterKeys(true);
  readerStore.setState({ dialog: null });
});

test('keys of one character can be switched off; arrows go on, and the choice is kept', () => {
  press('z');
  expect(playhead.getState().level).toBe('detail');

  setLetterKeys(false);
  for (const key of ['z', '1', '?', '/']) press(key);
  press('ArrowRight');

  expect(playhead.getState()).toMatchObject({ level: 'detail', pace: 'learn', step: 1 });
  expect(readerStore.getState()).toMatchObject({ dialog: null, dock: 'timeline' });
  expect(localStorage.getItem('engine-room.letter-keys')).toBe('off');
});
