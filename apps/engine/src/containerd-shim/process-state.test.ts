import { describe, expect, it } from 'vitest';
import { transition, type ProcessState, type Verb } from './process-state.ts';

const run = (...verbs: Verb[]): ProcessState => verbs.reduce(transition, 'created' as ProcessState);

describe('the life of a process', () => {
  it('goes from created to deleted', () => {
    expect(run('start')).toBe('running');
    expect(run('start', 'pause')).toBe('paused');
    expect(run('start', 'pause', 'resume', 'exit')).toBe('stopped');
    expect(run('exit', 'delete')).toBe('deleted');
  });

  it('refuses what makes no sense, and says so', () => {
    for (const verbs of [
      ['pause'],
      ['delete'],
      ['start', 'start'],
      ['start', 'delete'],
      ['exit', 'start'],
      ['exit', 'exit'],
    ] as Verb[][]) {
      expect(() => run(...verbs)).toThrow(/^cannot \w+ a \w+ process$/);
    }
  });
});
