/**
 * Keeps the documents true: every file, folder and npm script that a Markdown file names must exist.
 * A path is a word in backticks that begins with a folder of the repository, or the target of a relative link.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
const documents = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
  { encoding: 'utf8' },
)
  .split('\n')
  .filter((path) => path !== '' && existsSync(path));

/** Made by the setup, so they may be missing in a clone. */
const MADE = /(^|\/)(node_modules|dist|build|gen|test-results)(\/|$)/;
const PATH = /^(apps|native|e2e|bench|scripts|content|docs|\.ci)\/[\w.@/-]*$/;

const faults = [];
for (const document of documents) {
  const text = readFileSync(document, 'utf8');
  const fault = (index, words) =>
    faults.push(`${document}:${text.slice(0, index).split('\n').length}: ${words}`);
  for (const { 1: word = '', index } of text.matchAll(/`([^`\n]+)`/g)) {
    const path = word.replace(/:\d+$/, '');
    if (PATH.test(path) && !MADE.test(path) && !existsSync(path))
      fault(index, `there is no ${path}`);
  }
  for (const { 1: target = '', index } of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const path = normalize(join(dirname(document), target));
    if (!existsSync(path)) fault(index, `the link ${target} leads nowhere`);
  }
  for (const { 1: script = '', index } of text.matchAll(/`npm run ([\w:-]+)/g))
    if (!(script in scripts)) fault(index, `there is no npm script ${script}`);
}
if (faults.length > 0) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`docs: ${documents.length} documents name only what exists`);
