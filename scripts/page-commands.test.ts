import { expect, test } from 'vitest';
import { COMMANDS } from '../apps/engine/src/lab/policy/flags.ts';
import { PAGE_COMMANDS } from '../apps/web/src/panels/page-commands.ts';

test('the page refuses by itself nothing that the lab takes, and lets through nothing else', () => {
  const ofTheLab = new Set(Object.keys(COMMANDS).map((name) => name.split(' ')[0]));
  expect(new Set(PAGE_COMMANDS)).toEqual(ofTheLab);
});
