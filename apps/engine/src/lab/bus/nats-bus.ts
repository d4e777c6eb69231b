/**
 * The bus over NATS (`ENGINE_ROOM_BUS=nats://…`): core publish and subscribe, at most once. A broker that is away is
 * tried for ever, and nothing in the lab waits for it: what is published meanwhile is dropped, and rooms ask again.
 */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Bus, BusMessage } from './bus.ts';
import { InProcessBus } from './in-process-bus.ts';

const RETRY_MS = 500;

export class NatsBus implements Bus {
  readonly #connection: NatsConnection;
  /** Within this lab no word needs the broker, so its own followers go on when that is away. */
  readonly #here = new InProcessBus();
  readonly #returned = new Set<() => void>();
  #isUp = true;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
    void this.#watch();
  }

  /** Rejects when the broker cannot be reached at the start: then the address is more likely wrong than the broker away. */
  static async connect(url: string): Promise<NatsBus> {
    const connection = await connect({
      servers: serversOf(url),
      ...credentialsOf(url),
      name: 'engine-room lab',
      noEcho: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RETRY_MS,
      // A broker that stands still is noticed in a few seconds.
      pingInterval: 5_000,
      maxPingOut: 2,
    });
    return new NatsBus(connection);
  }

  publish(subject: string, message: BusMessage): void {
    this.#here.publish(subject, message);
    // The client would keep it in memory without a limit until the broker is back.
    if (this.#isUp) this.#connection.publish(subject, JSON.stringify(message));
  }

  subscribe(subject: string, take: (message: BusMessage) => void): () => void {
    const subscription = this.#connection.subscribe(subject, {
      callback: (error, received) => {
        if (error) return;
        try {
          take(received.json<BusMessage>());
        } catch (problem) {
          console.error(`lab: a message on ${subject} was not understood: ${String(problem)}`);
        }
      },
    });
    const endHere = this.#here.subscribe(subject, take);
    return () => {
      endHere();
      subscription.unsubscribe();
    };
  }

  onReturn(listener: () => void): () => void {
    this.#returned.add(listener);
    return () => this.#returned.delete(listener);
  }

  /** The broker has heard everything up to here: subscriptions stand. */
  flush(): Promise<void> {
    return this.#connection.flush();
  }

  async close(): Promise<void> {
    this.#isUp = false;
    await this.#here.close();
    await this.#connection.close();
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === 'disconnect') {
        this.#isUp = false;
        console.error(
          'lab: the line to the broker is lost; rooms go on, and catch up when it is back',
        );
      }
      if (type === 'reconnect') {
        this.#isUp = true;
        for (const listener of this.#returned) listener();
      }
    }
  }
}

/** `nats://a:4222,b:4222` names the servers of one cluster. Name and password stand before the first. */
const serversOf = (url: string): string[] =>
  url
    .replace(/^(?:nats|tls):\/\//, '')
    .replace(/^[^@]*@/, '')
    .split(',');

const credentialsOf = (
  url: string,
): { user?: string; pass?: string; token?: string; tls?: object } => {
  const tls = url.startsWith('tls://') ? { tls: {} } : {};
  const [, given] = /^\w+:\/\/([^@]+)@/.exec(url) ?? [];
  if (given === undefined) return tls;
  const [user = '', pass] = given.split(':').map(decodeURIComponent);
  return pass === undefined ? { ...tls, token: user } : { ...tls, user, pass };
};
