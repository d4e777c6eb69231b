/** A container as the kernel sees it, between `runc create` and `runc delete`. */
import { afterAll, expect, test } from 'vitest';
import { Bench } from './testing/bundle.ts';

const bench = new Bench();
afterAll(() => bench.close());

test('a container runs its program and its output and exit code arrive', async () => {
  const { output, code } = await bench.run(['sh', '-c', 'echo hello; id; env; exit 7']);

  expect(output).toContain('hello');
  console.log(output);
  expect(code).toBe(7);
});
