import { expect, test } from 'vitest';
import { Farewells } from './farewells.ts';

const withWords = () => {
  const said: string[] = [];
  const farewells = new Farewells();
  const begin = (key: string) => farewells.begin(key, async () => void said.push(key));
  return { farewells, begin, said };
};

test('whoever deletes is not kept waiting, and whoever comes next finds the place free', async () => {
  const { farewells, begin, said } = withWords();

  begin('a');
  begin('b');
  expect(said).toEqual([]);
  await farewells.hurry('b');

  expect(said).toEqual(['b']);
});

test('nobody has to ask: the shim leaves by itself', async () => {
  const said = await new Promise<string>((resolve) =>
    new Farewells().begin('a', async () => resolve('a')),
  );

  expect(said).toBe('a');
});

test('at the end all have left, and a key can be used again', async () => {
  const { farewells, begin, said } = withWords();
  begin('a');
  begin('b');

  await farewells.settled();
  begin('a');
  await farewells.hurry('a');
  await farewells.hurry('a');

  expect(said).toEqual(['a', 'b', 'a']);
});
