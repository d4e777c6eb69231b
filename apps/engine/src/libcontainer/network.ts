/**
 * A new network namespace has one interface, and it is down. netdevice(7), network_namespaces(7).
 * Everything else (eth0, routes) comes from the engine's network driver, not from runc.
 */
import { type Compilation, SLOT } from './compilation.ts';
import { hasNew } from './namespaces.ts';
import { AF_INET, IFF_UP, IOCTL, SOCK_CLOEXEC, SOCK_DGRAM } from './plan/constants.ts';
import { number, slot, struct } from './plan/stage-builder.ts';

const IFNAMSIZ = 16;
const SIZE_OF_IFREQ = 40;

export const bringLoopbackUp = (c: Compilation): void => {
  if (!hasNew(c, 'network')) return;
  c.init.call(
    'socket',
    [
      number(AF_INET, 'AF_INET'),
      number(SOCK_DGRAM | SOCK_CLOEXEC, 'SOCK_DGRAM|SOCK_CLOEXEC'),
      number(0),
    ],
    {
      title: 'a handle on the new network namespace',
      object: 'network',
      source: __SOURCE__,
      reference: 'man:netdevice(7)',
      resultSlot: SLOT.loopback,
      purpose: 'network',
    },
  );
  const request = new Uint8Array(SIZE_OF_IFREQ);
  request.set(new TextEncoder().encode('lo'));
  new DataView(request.buffer).setUint16(IFNAMSIZ, IFF_UP, true);
  c.init.call(
    'ioctl',
    [
      slot(SLOT.loopback),
      number(IOCTL.SIOCSIFFLAGS, 'SIOCSIFFLAGS'),
      struct({ bytes: request }, '{ifr_name="lo", ifr_flags=IFF_UP}'),
    ],
    {
      title: 'the loopback interface lo goes up: 127.0.0.1 answers',
      object: 'network',
      source: __SOURCE__,
      reference: 'man:netdevice(7)',
      purpose: 'network',
    },
  );
};
