/**
 * What rooms are told over, from the lab that has the engine to every lab that serves followers. One lab needs no
 * broker: `InProcessBus`. Several share a NATS server: `NatsBus`.
 *
 * A bus carries words once and keeps none: who was away asks again, in the protocol of `rooms/`.
 */
export interface Bus {
  /** Never blocks and never throws; what cannot be sent is lost. */
  publish(subject: string, message: BusMessage): void;
  subscribe(subject: string, take: (message: BusMessage) => void): () => void;
  /** The line was away and is back, so words were missed. */
  onReturn(listener: () => void): () => void;
  close(): Promise<void>;
}

/** JSON. The receiver trusts the sender: whoever may write to the bus is a lab of ours. */
export type BusMessage = object;
