/**
 * The same to many pages. A stream of Node's costs as much again as the system call below it, so a socket with nothing in
 * line gets its bytes by send(2), all sockets in one go (native/src/addon/socket.c); what one does not take at once goes
 * the usual way and waits there.
 */
import type { Socket } from 'node:net';
import type { Native } from '../../../../../native/native.ts';
import type { Outgoing } from './outgoing.ts';
import type { Wire } from './page-connection.ts';

export type SendToAll = Native['sendToAll'];

interface Receiver {
  /** Null where ws does the writing, or the page is going. */
  readonly openWire: Wire | null;
  send(outgoing: Outgoing): void;
}

/** Sockets that get the same bytes. */
interface Group {
  readonly frame: Buffer;
  readonly sockets: Socket[];
  readonly descriptors: number[];
}

/** So many fit into the bits of a small integer. */
export const PARTS_MAX = 30;

export class Broadcast {
  readonly #parts: readonly Outgoing[];
  readonly #sendToAll: SendToAll | null;
  readonly #groups = new Map<number, Group>();

  /** At most PARTS_MAX parts. Without the native part every page is written to on its own. */
  constructor(parts: readonly Outgoing[], sendToAll: SendToAll | null) {
    this.#parts = parts;
    this.#sendToAll = sendToAll;
  }

  /** The page gets the parts whose bits are set. */
  add(page: Receiver, bits: number): void {
    if (bits === 0) return;
    const { openWire } = page;
    const descriptor = openWire && this.#sendToAll ? descriptorOf(openWire.bytes) : -1;
    if (!openWire || descriptor < 0) {
      for (const part of this.#chosen(bits)) page.send(part);
      return;
    }
    const group = this.#groupOf(bits, openWire.isDeflated);
    group.sockets.push(openWire.bytes);
    group.descriptors.push(descriptor);
  }

  send(): void {
    for (const { frame, sockets, descriptors } of this.#groups.values()) {
      const sent = this.#sendToAll?.(Int32Array.from(descriptors), frame);
      sockets.forEach((socket, index) => {
        const taken = sent?.[index] ?? 0;
        if (taken < frame.length) socket.write(frame.subarray(taken));
      });
    }
    this.#groups.clear();
  }

  #chosen(bits: number): Outgoing[] {
    return this.#parts.filter((_, index) => (bits & (1 << index)) !== 0);
  }

  #groupOf(bits: number, isDeflated: boolean): Group {
    const key = bits * 2 + Number(isDeflated);
    let group = this.#groups.get(key);
    if (!group) {
      const frames = this.#chosen(bits).map((part) => part.framed(isDeflated));
      group = { frame: Buffer.concat(frames), sockets: [], descriptors: [] };
      this.#groups.set(key, group);
    }
    return group;
  }
}

/** -1 where bytes wait already: they come first. Node has the descriptor and does not document it. */
const descriptorOf = (socket: Socket): number =>
  socket.writable && socket.writableLength === 0
    ? ((socket as Socket & { readonly _handle?: { readonly fd?: number } })._handle?.fd ?? -1)
    : -1;
