import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { PortMapper } from './port-mapper.ts';

const ANY = { hostIp: '127.0.0.1', hostPorts: null } as const;

test('tcp: what is said arrives, also after the other side has said everything', async () => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let said = '';
    socket.on('data', (chunk) => (said += chunk.toString()));
    socket.on('end', () => socket.end(`heard ${said}`));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const mapper = new PortMapper();
  const seen: string[] = [];
  const containerPort = (server.address() as AddressInfo).port;
  const [port] = await mapper.publish(
    [{ ...ANY, protocol: 'tcp', containerPort }],
    { ipv4: '127.0.0.1', ipv6: '' },
    (_, from) => seen.push(from),
  );

  const client = connect(port?.hostPort ?? 0, '127.0.0.1');
  client.end('hello');

  expect(await text(client)).toBe('heard hello');
  expect(seen).toHaveLength(1);
  mapper.withdraw(port ? [port] : []);
  const [refused] = await once(connect(port?.hostPort ?? 0, '127.0.0.1'), 'error');
  expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
  server.close();
});

test('udp: the answer finds back to who asked', async () => {
  const server = createSocket('udp4').bind(0, '127.0.0.1');
  server.on('message', (datagram, { port, address }) =>
    server.send(`heard ${datagram.toString()}`, port, address),
  );
  await once(server, 'listening');
  const mapper = new PortMapper();
  const ports = await mapper.publish(
    [{ ...ANY, protocol: 'udp', containerPort: server.address().port }],
    { ipv4: '127.0.0.1', ipv6: '' },
    () => undefined,
  );
  const clients = [createSocket('udp4'), createSocket('udp4')];

  const answers = clients.map(async (client, index) => {
    client.send(`hello ${index}`, ports[0]?.hostPort ?? 0, '127.0.0.1');
    const [answer] = (await once(client, 'message')) as [Buffer];
    return answer.toString();
  });

  expect(await Promise.all(answers)).toEqual(['heard hello 0', 'heard hello 1']);
  mapper.withdraw(ports);
  for (const socket of [server, ...clients]) socket.close();
});

test('all or none: a clash gives back what was taken before it', async () => {
  const mapper = new PortMapper();
  const wish = { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1' } as const;
  const [held] = await mapper.publish(
    [{ ...wish, hostPorts: null }],
    { ipv4: '10.0.0.2', ipv6: '' },
    () => undefined,
  );
  const taken = { first: held?.hostPort ?? 0, last: held?.hostPort ?? 0 };

  const clash = mapper.publish(
    [
      { ...wish, hostPorts: null },
      { ...wish, hostPorts: taken },
    ],
    { ipv4: '10.0.0.3', ipv6: '' },
    () => undefined,
  );

  await expect(clash).rejects.toThrow(
    `Bind for 127.0.0.1:${taken.first} failed: port is already allocated`,
  );
  mapper.withdraw(held ? [held] : []);
  const again = await mapper.publish(
    [{ ...wish, hostPorts: taken }],
    { ipv4: '10.0.0.3', ipv6: '' },
    () => undefined,
  );
  expect(again).toHaveLength(1);
  mapper.withdraw(again);
});
