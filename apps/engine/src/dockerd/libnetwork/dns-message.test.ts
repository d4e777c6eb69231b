import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerTo, parseQuestion, RCODE, TYPE } from './dns-message.ts';

/** `id` 0x1234, recursion desired, one question. */
const aQuery = (name: string, type: number): Buffer => {
  const labels = name.split('.').map((label) => `${String.fromCharCode(label.length)}${label}`);
  return Buffer.concat([
    Buffer.from('123401000001000000000000', 'hex'),
    Buffer.from(`${labels.join('')}\0`, 'latin1'),
    Buffer.from([0, type, 0, 1]),
  ]);
};

test('a question is read', () => {
  expect(parseQuestion(aQuery('web.net', TYPE.A))).toMatchObject({ name: 'web.net', type: TYPE.A });
});

test('an answer repeats id and question, and carries the address', () => {
  const query = aQuery('web', TYPE.A);
  const question = parseQuestion(query);
  if (!question) throw new Error('it is a question');
  const answer = answerTo(query, question, [{ type: TYPE.A, address: Buffer.from([10, 0, 0, 2]) }]);

  expect(answer.toString('hex')).toBe(
    '1234818000010001000000000377656200000100' + '01c00c00010001000002580004' + '0a000002',
  );
  expect(answerTo(query, question, [], RCODE.SERVER_FAILURE).readUInt16BE(2) & 0xf).toBe(2);
});

test.each([
  ['an answer', '123481000001000000000000016100000100 01'],
  ['two questions', '123401000002000000000000016100000100 01'],
  ['a pointer', '123401000001000000000000c00c000100 01'],
  ['a name without end', '1234010000010000000000000161'],
  ['a label that is longer than the message', '1234010000010000000000003f61'],
  ['another class', '12340100000100000000000001610000010003'],
])('%s is no question', (_, hex) => {
  expect(parseQuestion(Buffer.from(hex.replace(' ', ''), 'hex'))).toBeNull();
});

test('no bytes make it fail', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      parseQuestion(Buffer.from(bytes));
    }),
  );
});
