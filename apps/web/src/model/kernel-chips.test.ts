import { expect, test } from 'vitest';
import type { SyscallEvent } from '@engine-room/engine/protocol/trace/event.ts';
import { kernelChips } from './kernel-chips.ts';
import { RunModel } from './run-model.ts';

const call = (attributes: SyscallEvent['attributes']) => ({ attributes }) as SyscallEvent;

test('the network of a container is its interface and its ports, each once', () => {
  const latest = [
    call({}),
    call({ 'engineroom.network.host_interface': 'veth12', 'engineroom.network.interface': 'eth0' }),
    call({
      'engineroom.network.host_interface': 'veth12',
      'engineroom.network.interface': 'eth0',
      'engineroom.network.address': '172.20.0.2/16',
    }),
    call({ 'engineroom.port.host': '0.0.0.0:8080', 'engineroom.port.container': '172.20.0.2:80' }),
    call({ 'engineroom.port.host': ':::8080', 'engineroom.port.container': '172.20.0.2:80' }),
  ];
  const machine = new RunModel().machineAt(0);
  const network = { object: 'network', count: latest.length, failed: 0, latest } as const;

  const cableAlone = { ...network, latest: latest.slice(0, 2) };
  expect(kernelChips({ ...machine, kernel: { network: cableAlone } })).toMatchObject([
    { label: 'eth0', value: 'veth12' },
  ]);
  expect(
    kernelChips({ ...machine, kernel: { network } }).map(({ label, value }) => [label, value]),
  ).toEqual([
    ['eth0', '172.20.0.2/16'],
    ['port', '8080 → 80'],
  ]);
});
