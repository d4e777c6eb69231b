import { expect, test } from 'vitest';
import { CallBudget } from './call-budget.ts';

const never = new AbortController().signal;
const LONG = 90 * 1024;

/** What has been let in so far, by name. */
const watch = () => {
  const inside: string[] = [];
  const enter = (budget: CallBudget, name: string, bytes: number, signal = never) =>
    budget.enter(bytes, signal).then((leave) => {
      inside.push(name);
      return leave;
    });
  return { inside, enter };
};

test('what is too much waits for its turn, short ones never do', async () => {
  const budget = new CallBudget();
  const { inside, enter } = watch();
  const leave = await enter(budget, 'one', LONG);
  const two = enter(budget, 'two', LONG);
  const three = enter(budget, 'three', 2000);
  await enter(budget, 'short', 500);
  expect(inside).toEqual(['one', 'short']);

  leave();
  const leaveToo = await two;
  leaveToo();
  await three;

  expect(inside).toEqual(['one', 'short', 'two', 'three']);
});

test('one that is longer than everything goes alone', async () => {
  const budget = new CallBudget();
  const { inside, enter } = watch();
  const leave = await enter(budget, 'huge', 10 * LONG);
  const next = enter(budget, 'next', 2000);
  expect(inside).toEqual(['huge']);

  leave();
  await next;

  expect(inside).toEqual(['huge', 'next']);
});

test('who gives up makes room for the next', async () => {
  const budget = new CallBudget();
  const { inside, enter } = watch();
  await enter(budget, 'one', 50 * 1024);
  const tired = new AbortController();
  const two = enter(budget, 'two', LONG, tired.signal);
  const three = enter(budget, 'three', 2000);

  tired.abort(new Error('given up'));

  await expect(two).rejects.toThrow('given up');
  await three;
  expect(inside).toEqual(['one', 'three']);
});
