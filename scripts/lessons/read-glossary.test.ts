import { expect, test } from 'vitest';
import { readGlossary } from './read-glossary.ts';

const ENTRY = '## shim\n\nIt stays.\n\nSource: [containerd](https://example.org/shim)\n';

test('a term has a meaning and a source', () => {
  expect(readGlossary(`# Glossary\n\n${ENTRY}`)).toEqual([
    {
      name: 'shim',
      means: 'It stays.',
      source: { say: 'containerd', href: 'https://example.org/shim' },
    },
  ]);
});

test.each([
  ['no term', '# Glossary\n', 'content/glossary.md:1: a glossary needs terms'],
  [
    'no source',
    `# Glossary\n\n${ENTRY}\n## task\n\nIt runs.\n`,
    'content/glossary.md:9: "task" must end with',
  ],
  ['a source that runs', ENTRY.replace('https:', 'javascript:'), '"shim" must end with'],
  ['no meaning', ENTRY.replace('It stays.\n\n', ''), '"shim" has no meaning'],
  ['a term twice', `${ENTRY}\n${ENTRY}`, '"shim" is not in the order of the alphabet, or twice'],
  [
    'no order',
    `${ENTRY}\n${ENTRY.replace('shim', 'runc')}`,
    '"runc" is not in the order of the alphabet',
  ],
])('%s is a fault with a place', (_name, text, reason) => {
  expect(() => readGlossary(text)).toThrow(reason);
});
