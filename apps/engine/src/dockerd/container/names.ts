/** Names of containers: what is allowed, and what is made up. Upstream: moby daemon/names, internal/namesgenerator. */
import { randomInt } from 'node:crypto';
import { EngineError } from '../../protocol/errdefs.ts';

const VALID_NAME = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

const ADJECTIVES =
  'amber brisk calm candid clever cosmic curious daring deft eager early earnest easy fearless fluent friendly gentle glad golden graceful happy helpful honest hopeful humble jolly keen kind lively lucid lunar mellow merry modest nimble noble open patient playful polite proud quick quiet ready serene sharp silent sincere sleek smart snug solar spry steady still sunny swift tidy tranquil trusty upbeat vivid warm wise witty zesty'.split(
    ' ',
  );

/** People whose work stands behind a container: systems, networks, languages, theory. */
const SURNAMES =
  'allen babbage backus bartik berners booch boole cerf church codd cook dahl diffie dijkstra engelbart estrin floyd goldberg hamilton hamming hejlsberg hellman hennessy hoare holberton hopper johnson joy kahan kahn kay keller kernighan knuth lamport lampson landin liskov lovelace mccarthy mcilroy metcalfe milner minsky naur nygaard ousterhout patterson perlis perlman pike postel rabin ritchie rivest ross saltzer scott shannon spafford stallman stonebraker strachey sutherland tanenbaum tarjan thompson torvalds turing wilkes wirth wozniak yao zuse'.split(
    ' ',
  );

export const checkName = (name: string): string => {
  if (!VALID_NAME.test(name)) {
    throw new EngineError(
      'invalid_argument',
      `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  }
  return name.replace(/^\//, '');
};

const pick = (words: readonly string[]): string => words[randomInt(words.length)] ?? '';

/** `curious_liskov`; with a digit behind when that is taken. */
export const generateName = (isTaken: (name: string) => boolean): string => {
  for (let attempt = 0; ; attempt++) {
    const name = `${pick(ADJECTIVES)}_${pick(SURNAMES)}${attempt < 6 ? '' : randomInt(10 ** Math.min(6, attempt - 5))}`;
    if (!isTaken(name)) return name;
  }
};
