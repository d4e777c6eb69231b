/**
 * The DNS server that each container on a network of the user's finds at 127.0.0.11: it knows the container's
 * neighbours by name and asks the host's own servers about everybody else.
 * It lives in dockerd; only its sockets are in the container's network namespace, on ports of their own, and a rule
 * there leads port 53 to them, so that the container may have a DNS server itself.
 * Upstream: moby daemon/libnetwork/{resolver,resolver_unix}.go.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, isIP, type Server, type Socket } from 'node:net';
import { answerTo, parseQuestion, RCODE, TYPE, type AnswerRecord } from './dns-message.ts';
import { replaceTable } from './netlink/nf-tables.ts';
import { daddr, dnat, dport } from './netlink/nf-terms.ts';
import {
  NETLINK_NETFILTER,
  NetlinkSocket,
  withNamespace,
  type NetlinkNative,
} from './netlink/socket.ts';
import { bytesOfAddress, numberOfAddress, parseSubnet } from './subnet.ts';
import { bytesOfAddress6, numberOfAddress6 } from './subnet6.ts';

export const RESOLVER_ADDRESS = '127.0.0.11';
const DNS_PORT = 53;
const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const DSTNAT = -100;
const UPSTREAM_PATIENCE_MS = 4_000;
const MOST_PENDING = 256;
const MOST_STREAMS = 64;
const STREAM_PATIENCE_MS = 10_000;
const TABLE = 'engine-room-dns';

/** What the neighbours are called. Names are compared without regard to case. */
export interface NameService {
  /** IPv4 and IPv6 addresses; null when nobody on the container's networks has that name. */
  addressesOf(name: string): readonly string[] | null;
  nameOf(address: string): string | null;
  /** Whom to ask about the rest; empty when the container may not look out. */
  upstream(): readonly string[];
}

/** struct sockaddr_in with port 0: any. */
const anyPort = (): Buffer => {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytesOfAddress(numberOfAddress(RESOLVER_ADDRESS) ?? 0).copy(bytes, 4);
  return bytes;
};

export class Resolver {
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #names: NameService;
  readonly #streams = new Set<Socket>();
  #pending = 0;
  #isClosed = false;

  private constructor(udp: UdpSocket, tcp: Server, names: NameService) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.#names = names;
    udp.on('message', (message, { port, address }) => {
      void this.#answer(message, 'udp').then((answer) => {
        // The container may have gone while somebody else was asked.
        if (answer && !this.#isClosed) udp.send(answer, port, address, () => undefined);
      });
    });
    tcp.on('connection', (socket) => this.#converse(socket));
    // A container that goes takes its namespace along; nobody is left to be told.
    for (const server of [udp, tcp]) server.on('error', () => undefined);
  }

  static async open(
    native: NetlinkNative,
    namespace: string,
    names: NameService,
  ): Promise<Resolver> {
    const sockets = withNamespace(namespace, (fd) => {
      const open = (type: number): number =>
        native.openSocket({
          namespace: fd,
          domain: AF_INET,
          type,
          protocol: 0,
          address: anyPort(),
        });
      return { udp: open(SOCK_DGRAM), tcp: open(SOCK_STREAM) };
    });
    const udp = createSocket('udp4');
    const tcp = createServer();
    udp.bind({ fd: sockets.udp, exclusive: true });
    tcp.listen({ fd: sockets.tcp });
    tcp.maxConnections = MOST_STREAMS;
    // A datagram socket that is handed over as a descriptor is ready at once.
    await once(tcp, 'listening');
    const resolver = new Resolver(udp, tcp, names);
    try {
      withNamespace(namespace, (fd) => resolver.#leadPort53(native, fd));
    } catch (error) {
      resolver.close();
      throw error;
    }
    return resolver;
  }

  close(): void {
    this.#isClosed = true;
    this.#udp.close();
    this.#tcp.close();
    for (const socket of this.#streams) socket.destroy();
  }

  #leadPort53(native: NetlinkNative, namespace: number): void {
    const tcp = this.#tcp.address();
    if (tcp === null || typeof tcp === 'string') return;
    const server = numberOfAddress(RESOLVER_ADDRESS) ?? 0;
    const to = daddr(parseSubnet(`${RESOLVER_ADDRESS}/32`));
    const netfilter = new NetlinkSocket(native, NETLINK_NETFILTER, namespace);
    try {
      replaceTable(netfilter, TABLE, [
        {
          name: 'output',
          type: 'nat',
          hook: 'output',
          priority: DSTNAT,
          rules: [
            [to, dport('udp', DNS_PORT), dnat(server, this.#udp.address().port)],
            [to, dport('tcp', DNS_PORT), dnat(server, tcp.port)],
          ],
        },
      ]);
    } finally {
      netfilter.close();
    }
  }

  async #answer(message: Buffer, by: 'udp' | 'tcp'): Promise<Buffer | null> {
    const question = parseQuestion(message);
    if (!question) return null;
    const own = this.#ownAnswer(question.name, question.type);
    if (own) return answerTo(message, question, own);
    for (const server of this.#names.upstream()) {
      const answer = await this.#askOn(server, message, by);
      if (answer) return answer;
    }
    return answerTo(message, question, [], RCODE.SERVER_FAILURE);
  }

  /** Null when it is not about a neighbour. A neighbour without IPv6 has no such address, and that is an answer too. */
  #ownAnswer(name: string, type: number): AnswerRecord[] | null {
    if (type === TYPE.PTR) {
      const [, reversed] = /^((?:\d{1,3}\.){3}\d{1,3})\.in-addr\.arpa$/i.exec(name) ?? [];
      const found = reversed && this.#names.nameOf(reversed.split('.').toReversed().join('.'));
      return found ? [{ type: TYPE.PTR, name: found }] : null;
    }
    const addresses = this.#names.addressesOf(name.toLowerCase());
    if (!addresses) return null;
    const wanted = addresses.filter((address) =>
      address.includes(':') ? type === TYPE.AAAA : type === TYPE.A,
    );
    return wanted.map((address) =>
      address.includes(':')
        ? { type: TYPE.AAAA, address: bytesOfAddress6(numberOfAddress6(address) ?? 0n) }
        : { type: TYPE.A, address: bytesOfAddress(numberOfAddress(address) ?? 0) },
    );
  }

  /** From the host's namespace: its servers may be reachable from there only. */
  async #askOn(server: string, message: Buffer, by: 'udp' | 'tcp'): Promise<Buffer | null> {
    if (this.#pending >= MOST_PENDING || isIP(server) === 0) return null;
    this.#pending += 1;
    try {
      return await (by === 'udp' ? askByUdp(server, message) : askByTcp(server, message));
    } finally {
      this.#pending -= 1;
    }
  }

  /** Over TCP each message is preceded by its length. */
  #converse(socket: Socket): void {
    this.#streams.add(socket);
    socket.setTimeout(STREAM_PATIENCE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#streams.delete(socket));
    readFrames(socket, (message) => {
      void this.#answer(message, 'tcp').then((answer) => {
        if (answer && socket.writable) socket.write(frame(answer));
      });
    });
  }
}

const frame = (message: Buffer): Buffer => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
};

const readFrames = (socket: Socket, onMessage: (message: Buffer) => void): void => {
  let waiting = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
      const end = 2 + waiting.readUInt16BE(0);
      onMessage(waiting.subarray(2, end));
      waiting = waiting.subarray(end);
    }
  });
};

const askByUdp = (server: string, message: Buffer): Promise<Buffer | null> =>
  new Promise((resolve) => {
    const socket = createSocket(isIP(server) === 6 ? 'udp6' : 'udp4');
    let isDone = false;
    // A refusal is told twice: to the one who sends, and to whoever listens for errors.
    const done = (answer: Buffer | null): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => done(null), UPSTREAM_PATIENCE_MS);
    socket.on('error', () => done(null));
    // A failure is told to the callback, and not to whoever listens for errors.
    socket.connect(DNS_PORT, server, (error?: Error) => {
      if (error || isDone) {
        done(null);
        return;
      }
      socket.on('message', (answer) => {
        // Somebody else's answer, or one that was made up without knowing the question.
        if (answer.length >= 2 && answer.readUInt16BE(0) === message.readUInt16BE(0)) done(answer);
      });
      socket.send(message, (failure) => {
        if (failure) done(null);
      });
    });
  });

const askByTcp = (server: string, message: Buffer): Promise<Buffer | null> =>
  new Promise((resolve) => {
    const socket = connect({ host: server, port: DNS_PORT });
    const done = (answer: Buffer | null): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(UPSTREAM_PATIENCE_MS, () => done(null));
    socket.once('error', () => done(null));
    socket.once('close', () => resolve(null));
    socket.once('connect', () => socket.write(frame(message)));
    readFrames(socket, done);
  });
