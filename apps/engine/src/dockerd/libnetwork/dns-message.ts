/** DNS on the wire, as far as an answer about containers needs it. See RFC 1035, section 4. */

export const TYPE = { A: 1, PTR: 12, AAAA: 28 } as const;
export const RCODE = { OK: 0, SERVER_FAILURE: 2, NAME_ERROR: 3 } as const;
const CLASS_IN = 1;
const HEADER_BYTES = 12;
const LABEL_BYTES = 63;
const NAME_BYTES = 255;
/** QR, and of the question what must be said back: opcode and "recursion desired". RA says: we ask on. */
const FLAG = { response: 0x8000, kept: 0x7900, recursionAvailable: 0x0080 } as const;
const POINTER_TO_QUESTION = 0xc000 | HEADER_BYTES;
const TTL_SECONDS = 600;

export interface Question {
  readonly name: string;
  readonly type: number;
  /** The question as it stands in the message. */
  readonly bytes: Buffer;
}

/** The only question; null when the message is anything else. */
export const parseQuestion = (message: Buffer): Question | null => {
  if (message.length < HEADER_BYTES) return null;
  const isQuery = (message.readUInt16BE(2) & (FLAG.response | 0x7800)) === 0;
  if (!isQuery || message.readUInt16BE(4) !== 1) return null;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    // A pointer has nothing to point to in a question.
    if (length === undefined || length > LABEL_BYTES || at - HEADER_BYTES > NAME_BYTES) return null;
    at += 1;
    if (length === 0) break;
    if (at + length > message.length) return null;
    labels.push(message.toString('latin1', at, at + length));
    at += length;
  }
  if (at + 4 > message.length || message.readUInt16BE(at + 2) !== CLASS_IN) return null;
  const type = message.readUInt16BE(at);
  return { name: labels.join('.'), type, bytes: message.subarray(HEADER_BYTES, at + 4) };
};

const encodeName = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter((label) => label !== '')
      .map((label) => {
        const bytes = Buffer.from(label.slice(0, LABEL_BYTES), 'latin1');
        return Buffer.concat([Buffer.from([bytes.length]), bytes]);
      }),
    Buffer.from([0]),
  ]);

export type AnswerRecord =
  | { readonly type: typeof TYPE.A | typeof TYPE.AAAA; readonly address: Buffer }
  | { readonly type: typeof TYPE.PTR; readonly name: string };

const record = (answer: AnswerRecord): Buffer => {
  const data = answer.type === TYPE.PTR ? encodeName(answer.name) : answer.address;
  const head = Buffer.alloc(12);
  head.writeUInt16BE(POINTER_TO_QUESTION, 0);
  head.writeUInt16BE(answer.type, 2);
  head.writeUInt16BE(CLASS_IN, 4);
  head.writeUInt32BE(TTL_SECONDS, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
};

export const answerTo = (
  message: Buffer,
  question: Question,
  answers: readonly AnswerRecord[],
  rcode: number = RCODE.OK,
): Buffer => {
  const header = Buffer.alloc(HEADER_BYTES);
  message.copy(header, 0, 0, 2);
  const kept = message.readUInt16BE(2) & FLAG.kept;
  header.writeUInt16BE(FLAG.response | kept | FLAG.recursionAvailable | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  return Buffer.concat([header, question.bytes, ...answers.map(record)]);
};
