import { describe, expect, test } from 'vitest';
import { cellsOf, Prompt, wantsTerminal } from './prompt.ts';

const typed = (prompt: Prompt, text: string): void => {
  for (const char of text) prompt.take(char);
};

describe('the line at the prompt', () => {
  test('is edited, entered and remembered', () => {
    const prompt = new Prompt();
    typed(prompt, 'docker pss');
    prompt.take('\u007f');

    expect(prompt.take('\r')).toEqual({ kind: 'enter', line: 'docker ps' });
    expect(prompt.take('\u001b[A')).toEqual({ kind: 'edit', line: 'docker ps' });
    expect(prompt.take('\u001b[B')).toEqual({ kind: 'edit', line: '' });
    expect(prompt.take('\u0003')).toEqual({ kind: 'cancel' });
  });

  test('lines that are pasted run only when Enter is pressed', () => {
    const prompt = new Prompt();

    expect(prompt.take('docker ps\rdocker rm -f mine\r')).toEqual({
      kind: 'edit',
      line: 'docker ps docker rm -f mine ',
    });
  });

  test.each([
    ['a cursor report', '\u001b[12;40R'],
    ['what the terminal is', '\u001b[?1;2c'],
    ['an answer with a command in it', '\u001bP1$r docker rm -f mine\u001b\\'],
    ['a title', '\u001b]l docker ps\u0007'],
    ['a text that goes the other way', 'docker \u202e ps'],
  ])('%s is not typed', (_, data) => {
    const prompt = new Prompt();

    expect(prompt.take(data)).toBeNull();
    expect(prompt.line).toBe('');
  });

  test('a paste without end is cut', () => {
    const prompt = new Prompt();
    prompt.take('x'.repeat(1_000_000));

    expect(prompt.line.length).toBe(4096);
  });
});

test.each([
  ['docker exec -it mine sh', true],
  ['docker exec -ti mine sh', true],
  ['docker exec -i -t mine sh', true],
  ['docker exec --interactive --tty mine sh', true],
  ['docker exec mine sh -it', false],
  ['docker exec -t mine sh', false],
  ['docker run -it busybox sh', false],
  ['rm -it', false],
])('%s wants a terminal: %s', (line, wants) => {
  expect(wantsTerminal(line)).toBe(wants);
});

test.each([
  ['docker ps', 9],
  ['日本', 4],
  ['e\u0301', 1],
])('%s takes its cells', (line, cells) => expect(cellsOf(line)).toBe(cells));
