/**
 * What the crash table starts, as a process of its own: it works until it is killed, or looks at what a killed one has
 * left. Says what it has to say in lines of JSON, at once, as the next write may be its last.
 */
import { writeSync } from 'node:fs';
import { endOf, faultsOf, runWorkload } from './crash-workload.ts';

const [, , verb = '', root = '', acknowledged = '[]'] = process.argv;

const tell = (value: unknown): void => {
  writeSync(1, `${JSON.stringify(value)}\n`);
};

const VERBS: Readonly<Record<string, () => Promise<void>>> = {
  run: () => runWorkload(root, tell),
  end: async () => tell(await endOf(root)),
  faults: async () => tell(await faultsOf(root, JSON.parse(acknowledged) as string[])),
};

await VERBS[verb]?.();
