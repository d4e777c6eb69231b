/** How many connections one address may have open at a time. */
import type { Socket } from 'node:net';

export class ConnectionQuota {
  readonly #limit: number;
  readonly #open = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts the connection until it closes; false when its client has enough. */
  take(socket: Socket): boolean {
    const client = socket.remoteAddress ?? '';
    const open = this.#open.get(client) ?? 0;
    if (open >= this.#limit) return false;
    this.#open.set(client, open + 1);
    socket.once('close', () => {
      const left = (this.#open.get(client) ?? 1) - 1;
      if (left > 0) this.#open.set(client, left);
      else this.#open.delete(client);
    });
    return true;
  }
}
