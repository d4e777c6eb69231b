/** What one sees of a command in a terminal: what the client printed, or what the container wrote through it. */
import { bytesOf } from '../model/byte-links.ts';
import { clientTextOf, outputOf, type Machine } from '../model/machine.ts';
import { plainText } from '../model/plain-text.ts';

const SHOWN_LIMIT = 8000;

export const writtenIn = (machine: Pick<Machine, 'client' | 'output'>): string => {
  const printed = clientTextOf(machine.client).map(({ text }) => text);
  const decoder = new TextDecoder();
  const written =
    printed.length > 0
      ? printed
      : outputOf(machine).map(({ base64 }) => decoder.decode(bytesOf(base64), { stream: true }));
  return plainText(written.join('')).slice(-SHOWN_LIMIT);
};
