import { describe, expect, test } from 'vitest';
import { hintFor } from './command-hints.ts';
import { SCENARIOS } from './scenarios.ts';

describe('hints about a command line', () => {
  test.each(SCENARIOS.map(({ command }) => command))('has nothing to say of: %s', (command) => {
    expect(hintFor(command)).toBeNull();
  });

  test.each([
    ['', null],
    ["docker run busybox echo 'hi", 24],
    ['docker run busybox echo hi | wc', 27],
    ['docker run busybox echo $HOME', 24],
    ['podman run busybox', 0],
    ['docker', 6],
    ['docker build .', 7],
  ])('points into: %s', (command, position) => {
    expect(hintFor(command)).toMatchObject({ position });
  });
});
