/**
 * Networks, as far as there are any: this daemon works like `dockerd --bridge=none`. A container has a network namespace
 * of its own with a loopback interface, which Docker calls the network `none`, or that of the host or of another
 * container. Upstream: moby daemon/container_operations.go.
 */
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import type { LinuxNamespace } from '../../protocol/oci/runtime-spec.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import type { Daemon } from './daemon.ts';

const CONTAINER_PREFIX = 'container:';

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

const HOST = {
  ...NONE,
  Name: 'host',
  Id: 'c4a2d8e18b5f63979d2eaf1a8c7b6d5e4f3a2b1cad9e8f7a6b5c4d3e2fab1a9c',
  Driver: 'host',
};

export const listNetworks = (): readonly unknown[] => [HOST, NONE];

export const inspectNetwork = (reference: string): unknown => {
  const found = [HOST, NONE].find(
    ({ Name, Id }) => reference === Name || (reference.length >= 4 && Id.startsWith(reference)),
  );
  if (!found) throw new EngineError('not_found', `network ${reference} not found`);
  return found;
};

/** The container whose network is shared, by `--network container:reference`; null for any other mode. */
export const networkLender = (daemon: Daemon, mode: string): Container | null => {
  if (!mode.startsWith(CONTAINER_PREFIX)) return null;
  try {
    return daemon.store.find(mode.slice(CONTAINER_PREFIX.length));
  } catch (error) {
    // Not `not_found`: the client would take it for a missing image and pull.
    throw new EngineError('invalid_argument', messageOf(error), { cause: error });
  }
};

/** The reference may be a name, and names change: what is kept is the id. */
export const fixedNetworkMode = (daemon: Daemon, mode: string): string => {
  const lender = networkLender(daemon, mode);
  return lender ? `${CONTAINER_PREFIX}${lender.id}` : mode || 'default';
};

/** What runc shall do about the network namespace; null when it is the host's. */
export const networkNamespace = (daemon: Daemon, mode: string): LinuxNamespace | null => {
  if (mode === 'host') return null;
  const lender = networkLender(daemon, mode);
  if (!lender) return { type: 'network' };
  if (!isRunning(lender.state)) {
    throw new EngineError(
      'conflict',
      `cannot join network of a non running container: ${lender.id}`,
    );
  }
  return { type: 'network', path: `/proc/${lender.state.pid}/ns/net` };
};

/** The part of a container's description that names its networks. */
export const networksOf = (container: Container): Readonly<Record<string, unknown>> => {
  const { NetworkMode: mode } = container.hostConfig;
  // The network is the other container's; it is listed there.
  if (mode.startsWith(CONTAINER_PREFIX)) return {};
  const network = mode === 'host' ? HOST : NONE;
  return {
    [network.Name]: {
      IPAMConfig: null,
      Links: null,
      Aliases: null,
      DriverOpts: null,
      NetworkID: network.Id,
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
  };
};
