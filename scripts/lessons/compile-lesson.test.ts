import { describe, expect, test } from 'vitest';
import { compileLesson } from './compile-lesson.ts';
import { LessonError } from './fault.ts';

const HEAD = `---
title: A lesson
question: Why?
minutes: 2
proves: [something]
runs:
  first: { command: docker run --rm busybox true }
predictions:
  - kind: choice
    id: guess
    ask: What?
    options: [{ id: a, say: A }, { id: b, say: B }]
    truth:
      - { when: { fact: trace.exitCode, run: first, equals: 0 }, is: a }
      - { when: { fact: trace.exitCode, run: first, not: 0 }, is: b }
checks:
  - id: ran
    say: It ran.
    that: { fact: trace.exitCode, run: first, equals: 0 }
    hint: Run it.
code:
  - { ours: apps/engine/src/docker/main.ts, upstream: docker/cli cli/command/container/run.go, say: The client. }
---
`;
const BODY = `
## One

One sentence.
And another with :step[POST /containers/{id}/start]{run=first}.

:::predict{id=guess}
:::

:::run{id=first}
:::

:::compare{id=guess}

That was **it**.

:::

:::check{ids=ran}
:::
`;

const compile = (text: string) =>
  compileLesson('001-a-lesson', text, { file: 'lesson.md', terms: new Set(['shim']) });
const problemOf = (text: string): string => {
  try {
    compile(text);
  } catch (error) {
    if (error instanceof LessonError) return error.message;
    throw error;
  }
  return 'none';
};

test('a lesson becomes data', () => {
  const lesson = compile(HEAD + BODY);

  expect(lesson).toMatchObject({ id: '001-a-lesson', number: 1, title: 'A lesson' });
  expect(lesson.screens[0]?.blocks.map(({ t }) => t)).toEqual([
    'p',
    'predict',
    'run',
    'compare',
    'check',
  ]);
  expect(lesson.screens[0]?.blocks[0]).toEqual({
    t: 'p',
    c: [
      'One sentence.\nAnd another with ',
      { t: 'step', name: 'POST /containers/{id}/start', run: 'first' },
      '.',
    ],
  });
});

describe('a broken lesson names file, line and reason', () => {
  const lineOf = (words: string): number =>
    (HEAD + BODY).split('\n').findIndex((line) => line.includes(words)) + 1;
  const broken = (from: string, to: string): string => problemOf((HEAD + BODY).replace(from, to));

  test.each([
    [
      'an unknown directive',
      ':::check{ids=ran}',
      ':::quiz{id=ran}',
      ':::check{ids',
      ':::quiz is not known',
    ],
    [
      'an unknown fact',
      'fact: trace.exitCode, run: first, not',
      'fact: trace.mood, run: first, not',
      'not: 0',
      'predictions.0.truth.1.when.fact',
    ],
    [
      'raw HTML',
      'One sentence.',
      '<script>alert(1)</script>',
      'One sentence',
      'raw HTML is not allowed',
    ],
    [
      'HTML in a line',
      'One sentence.',
      'One <b onclick="x()">sentence</b>.',
      'One sentence',
      'raw HTML is not allowed',
    ],
    [
      'a link that runs',
      'One sentence.',
      '[x](javascript:alert(1))',
      'One sentence',
      'a link must begin with https://',
    ],
    [
      'an image',
      'One sentence.',
      '![x](https://example.org/x.png)',
      'One sentence',
      'image has no place',
    ],
    [
      'a run that is not there',
      ':::run{id=first}',
      ':::run{id=second}',
      ':::run{id',
      'run names "second"',
    ],
    [
      'a command that is none',
      'docker run --rm busybox true',
      'rm -rf /',
      'first: {',
      'runs.first.command',
    ],
    [
      'a missing translation of an option',
      'is: b }',
      'is: c }',
      '---',
      'names "c", which is no option',
    ],
    [
      'an unknown key',
      'minutes: 2',
      'minutes: 2\nauthor: me',
      'title',
      'Unrecognized key: "author"',
    ],
    [
      'a word that the glossary does not have',
      'One sentence.',
      'One :term[wonder].',
      'One sentence',
      '"wonder" does not stand in content/glossary.md',
    ],
    [
      'a terminal with another program',
      ':::check{ids=ran}',
      ':::terminal{try="rm -rf /"}\n:::\n\n:::check{ids=ran}',
      ':::check{ids',
      ':::terminal needs try="docker …"',
    ],
    ['broken YAML', 'minutes: 2', 'minutes: [2', 'proves', 'Flow sequence'],
  ])('%s', (_name, ...[from, to, where, reason]) => {
    const problem = broken(from, to);
    expect(problem).toContain(reason);
    expect(problem).toMatch(new RegExp(`^lesson.md:${lineOf(where)}: `, 'm'));
  });

  test('seeing before predicting', () => {
    const swapped = BODY.replace(':::predict{id=guess}\n:::\n', '').concat(
      '\n:::predict{id=guess}\n:::\n',
    );
    expect(problemOf(HEAD + swapped)).toContain('must stand after its :::predict');
  });

  test('a prediction that is never asked', () => {
    const silent = BODY.replace(':::predict{id=guess}\n:::\n', '');
    expect(problemOf(HEAD + silent)).toContain(':::predict of "guess" must stand in the text once');
  });

  test('a container that nobody removes before the next attempt', () => {
    const named = (HEAD + BODY).replace('run --rm', 'run --name left');
    expect(problemOf(named)).toContain('tidy: [left]');
  });

  test('no front matter', () => {
    expect(problemOf(BODY)).toContain('begins with front matter');
  });
});
