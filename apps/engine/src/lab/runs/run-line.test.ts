import { beforeEach, expect, test } from 'vitest';
import { RunLine, type Leave } from './run-line.ts';

let told: (readonly [string, number | null])[];
let line: RunLine;

beforeEach(() => {
  told = [];
  line = new RunLine({
    places: 1,
    perLearner: 2,
    onMove: (learner, ahead) => told.push([learner, ahead]),
  });
});

const entered = async (learner: string): Promise<Leave> => {
  const leave = await line.enter(learner);
  if (!leave) throw new Error(`${learner} was sent away`);
  return leave;
};

test('who finds a place waits for nothing, and nobody is told', async () => {
  (await entered('a'))();
  (await entered('b'))();
  expect(told).toEqual([]);
});

test('first come, first served, and each hears how many are ahead', async () => {
  const order: string[] = [];
  const leaveA = await entered('a');
  const noting = async (learner: string): Promise<Leave> => {
    const leave = await entered(learner);
    order.push(learner);
    return leave;
  };
  const [b, c] = [noting('b'), noting('c')];
  expect(told).toEqual([
    ['b', 0],
    ['c', 1],
  ]);

  told = [];
  leaveA();
  leaveA();
  const leaveB = await b;
  expect(order).toEqual(['b']);
  expect(told).toEqual([
    ['b', null],
    ['c', 0],
  ]);
  leaveB();
  (await c)();
  expect(order).toEqual(['b', 'c']);
});

test('who goes away loses the turn, and the others move up', async () => {
  const leave = await entered('a');
  const gone = new AbortController();
  const b = line.enter('b', gone.signal);
  const c = entered('c');
  told = [];
  gone.abort();
  expect(await b).toBeNull();
  expect(told).toEqual([
    ['b', null],
    ['c', 0],
  ]);
  leave();
  (await c)();
  expect(await line.enter('d', gone.signal)).toBeNull();
  (await entered('e'))();
});

test('when the lab stops, whoever waits is sent away and begins nothing', async () => {
  const leave = await entered('a');
  const waiting = [line.enter('b'), line.enter('c')];
  line.close();
  leave();
  expect(await Promise.all(waiting)).toEqual([null, null]);
});

test('nobody fills the line alone, and it has an end', async () => {
  const leave = await entered('a');
  const waiting = [entered('b'), entered('b')];
  expect(await line.enter('b')).toBeNull();
  for (let learner = 2; learner < 200; learner += 1) waiting.push(entered(`${learner}`));
  expect(await line.enter('late')).toBeNull();
  leave();
  for (const each of waiting) (await each)();
  (await entered('late'))();
});
