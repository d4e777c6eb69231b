/** What every test file of this suite begins with. */
import { afterEach, inject, test } from 'vitest';
import { dockerFor } from '../../support/docker.ts';

export const engine = inject('engine');
export const isReal = engine.kind === 'real';
export const docker = dockerFor(engine);
/** What holds of our engine alone is not even asked of the real one: a skipped test would count as a failed one. */
export const ofOursAlone: (name: string, body: () => Promise<void>) => void = isReal
  ? () => undefined
  : test;

const names: string[] = [];
let count = 0;

/** A name for a container that is removed after the test, whatever happened to it. */
export function aName(): string {
  count += 1;
  const name = `test-${process.pid}-${count}`;
  names.push(name);
  return name;
}

afterEach(async () => {
  const made = names.splice(0);
  if (made.length > 0) await docker(['rm', '--force', ...made]);
});
