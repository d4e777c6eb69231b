/** What the kernel was asked about networks, told to the trace: one event a call, with its real begin, end and result. */
import type { Attributes, Level } from '../../protocol/trace/event.ts';
import { currentContext } from '../../tracing/context.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { Endpoint } from './endpoint.ts';
import { NetlinkError } from './netlink/message.ts';

export interface Call {
  readonly title: string;
  /** The message, as one would read it in strace. */
  readonly detail: string;
  readonly level: Level;
  readonly reference: string;
  readonly source: string;
  readonly attributes: Attributes;
  /** The man page's name of the call; a message to the kernel is sent. */
  readonly name?: string;
}

export class Teller {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  factsOf({ networkName, interfaceName, hostInterface, bridge }: Endpoint): Attributes {
    return {
      'engineroom.network.name': networkName,
      'engineroom.network.interface': interfaceName,
      'engineroom.network.host_interface': hostInterface,
      'engineroom.network.bridge': bridge,
    };
  }

  call<T>(call: Call, work: () => T): T {
    const mono = process.hrtime.bigint().toString();
    try {
      const result = work();
      this.#tell(call, mono, null);
      return result;
    } catch (error) {
      this.#tell(call, mono, error instanceof NetlinkError ? error.code : 'EIO');
      throw error;
    }
  }

  /** The same for what took more than one turn of the event loop. */
  done(call: Call, begin: bigint): void {
    this.#tell(call, begin.toString(), null);
  }

  /** Something that happened inside of dockerd. */
  note(name: string, level: Level, source: string, attributes: Attributes): void {
    const context = currentContext();
    if (!context) return;
    this.#tracer.emit({
      type: 'spanEvent',
      spanId: context.spanId,
      name,
      level,
      source,
      attributes,
    });
  }

  #tell(call: Call, mono: string, errno: string | null): void {
    const context = currentContext();
    if (!context) return;
    const { title, detail, level, reference, source, attributes, name = 'sendto' } = call;
    this.#tracer.emit({
      type: 'syscall',
      spanId: context.spanId,
      caller: { actor: 'dockerd', pid: process.pid },
      name,
      detail,
      title,
      object: 'network',
      mono,
      endMono: process.hrtime.bigint().toString(),
      result: errno === null ? 0 : -1,
      errno,
      ignored: false,
      reference,
      level,
      source,
      attributes,
    });
  }
}
