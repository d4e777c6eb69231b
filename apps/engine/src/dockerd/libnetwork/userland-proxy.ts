/**
 * Listens on a published port and carries what comes to the container. The kernel's own forwarding (firewall.ts) is
 * faster and comes first; this one serves what it does not see: connections to 127.0.0.1, to ::1, and from neighbours
 * on the same bridge. It also holds the port, so that nobody else on the host can take it.
 * Real Docker starts one process `docker-proxy` for each port; here dockerd does it itself, and they end together.
 * Upstream: moby cmd/docker-proxy.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { PublishedPort } from './port-mapper.ts';

export interface Proxy {
  close(): void;
}

const MOST_CONNECTIONS = 4096;
const MOST_UDP_PEERS = 1024;
/** How long an answer over UDP may take, as in docker-proxy. */
const UDP_PATIENCE_MS = 90_000;

const isIpv6 = (address: string): boolean => address.includes(':');

/** Each direction ends by itself: a client that has said everything may still be listening. */
const joinStreams = (client: Socket, upstream: Socket): void => {
  const both = [client, upstream];
  for (const socket of both) {
    socket.on('error', () => both.forEach((each) => each.destroy()));
  }
  client.pipe(upstream);
  upstream.pipe(client);
};

export const tcpProxy = async (
  port: PublishedPort,
  onConnection: (from: string) => void,
): Promise<Proxy> => {
  const open = new Set<Socket>();
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    onConnection(`${client.remoteAddress ?? ''}:${client.remotePort ?? 0}`);
    const upstream = connect({
      host: port.containerIp,
      port: port.containerPort,
      allowHalfOpen: true,
      noDelay: true,
    });
    keep(client);
    keep(upstream);
    joinStreams(client, upstream);
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.listen({ host: port.hostIp, port: port.hostPort, ipv6Only: isIpv6(port.hostIp) });
  await once(server, 'listening');
  server.on('error', () => undefined);
  return {
    close: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
};

/** UDP knows no connections: each peer gets a socket of its own, by which the answers find back. */
export const udpProxy = async (port: PublishedPort): Promise<Proxy> => {
  const isV6 = isIpv6(port.hostIp);
  const front = createSocket({ type: isV6 ? 'udp6' : 'udp4', ipv6Only: isV6 });
  const peers = new Map<string, { readonly socket: UdpSocket; timer: NodeJS.Timeout }>();
  const forget = (key: string): void => {
    const peer = peers.get(key);
    if (!peer) return;
    clearTimeout(peer.timer);
    peers.delete(key);
    peer.socket.close();
  };
  const meet = (key: string, from: RemoteInfo) => {
    const [oldest] = peers.keys();
    if (peers.size >= MOST_UDP_PEERS && oldest !== undefined) forget(oldest);
    const socket = createSocket(isIpv6(port.containerIp) ? 'udp6' : 'udp4');
    socket.on('message', (answer) => front.send(answer, from.port, from.address));
    // The container may not be listening; datagrams get lost.
    socket.on('error', () => forget(key));
    const peer = { socket, timer: setTimeout(() => forget(key), UDP_PATIENCE_MS) };
    peers.set(key, peer);
    return peer;
  };
  front.on('message', (datagram, from) => {
    const key = `${from.address} ${from.port}`;
    const peer = peers.get(key) ?? meet(key, from);
    peer.timer.refresh();
    peer.socket.send(datagram, port.containerPort, port.containerIp);
  });
  front.bind({ address: port.hostIp, port: port.hostPort, exclusive: true });
  await once(front, 'listening');
  front.on('error', () => undefined);
  return {
    close: () => {
      for (const key of peers.keys()) forget(key);
      front.close();
    },
  };
};
