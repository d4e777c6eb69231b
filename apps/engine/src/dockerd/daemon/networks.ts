/**
 * Networks, as far as there are any: this daemon works like `dockerd --bridge=none`, so each container has a network
 * namespace of its own with a loopback interface, which Docker calls the network `none`.
 */
import { EngineError } from '../../protocol/errdefs.ts';
import type { Container } from '../container/container.ts';

const NONE = {
  Name: 'none',
  Id: 'b3f1c9d07a4e52868c1d9e0f7b6a5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b',
  Created: '2026-01-01T00:00:00Z',
  Scope: 'local',
  Driver: 'null',
  EnableIPv4: true,
  EnableIPv6: false,
  IPAM: { Driver: 'default', Options: null, Config: null },
  Internal: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: { Network: '' },
  ConfigOnly: false,
  Containers: {},
  Options: {},
  Labels: {},
};

export const listNetworks = (): readonly unknown[] => [NONE];

export const inspectNetwork = (reference: string): unknown => {
  const isNone =
    reference === NONE.Name || (reference.length >= 4 && NONE.Id.startsWith(reference));
  if (!isNone) throw new EngineError('not_found', `network ${reference} not found`);
  return NONE;
};

/** The part of a container's description that names its networks. */
export const networksOf = (container: Container): Readonly<Record<string, unknown>> => ({
  none: {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    DriverOpts: null,
    NetworkID: NONE.Id,
    EndpointID: '',
    Gateway: '',
    IPAddress: '',
    MacAddress: '',
    IPPrefixLen: 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: container.state.pid === 0 ? null : [],
  },
});
