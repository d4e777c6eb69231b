/**
 * One message to many pages: made into JSON once, into a WebSocket frame once (RFC 6455, section 5.2), and compressed
 * once (RFC 7692: a message that needs no other before it), instead of once for each of them.
 */
import { constants, deflateRawSync } from 'node:zlib';

const FIN_TEXT = 0x81;
/** RSV1: this message is compressed. */
const FIN_TEXT_DEFLATED = 0xc1;
/** Below this, compressing costs more than it saves. */
const WORTH_BYTES = 512;

export class Outgoing {
  readonly text: Buffer;
  #plain: Buffer | null = null;
  #deflated: Buffer | null = null;

  constructor(value: object | Buffer) {
    this.text = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
  }

  static ofJson(json: string): Outgoing {
    return new Outgoing(Buffer.from(json));
  }

  framed(isDeflated: boolean): Buffer {
    if (!isDeflated || this.text.length < WORTH_BYTES)
      return (this.#plain ??= frameOf(FIN_TEXT, this.text));
    return (this.#deflated ??= frameOf(FIN_TEXT_DEFLATED, deflated(this.text)));
  }
}

/** Ends in an empty block, whose four bytes the receiver puts back (RFC 7692, section 7.2.1). */
const deflated = (text: Buffer): Buffer =>
  deflateRawSync(text, { level: 1, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

const frameOf = (head: number, payload: Buffer): Buffer => {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([head, length]), payload]);
  if (length < 65_536) {
    const header = Buffer.from([head, 126, 0, 0]);
    header.writeUInt16BE(length, 2);
    return Buffer.concat([header, payload]);
  }
  const header = Buffer.alloc(10);
  header[0] = head;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
};
