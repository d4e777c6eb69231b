/**
 * `--network`: a network by name, or the namespace of the host or of another container.
 * Upstream: moby daemon/container_operations.go, api/types/container/network_mode.go.
 */
import { EngineError, messageOf } from '../../protocol/errdefs.ts';
import type { LinuxNamespace } from '../../protocol/oci/runtime-spec.ts';
import { isRunning } from '../container/container-state.ts';
import type { Container } from '../container/container.ts';
import { CONTAINER_PREFIX, lenderIn } from '../oci/namespaces.ts';
import type { Daemon } from './daemon.ts';

/** The container whose network is shared, by `--network container:reference`; null for any other mode. */
export const networkLender = (daemon: Daemon, mode: string): Container | null => {
  const reference = lenderIn(mode);
  if (reference === null) return null;
  try {
    return daemon.store.find(reference);
  } catch (error) {
    // Not `not_found`: the client would take it for a missing image and pull.
    throw new EngineError('invalid_argument', messageOf(error), { cause: error });
  }
};

/** On a machine without bridges the default is what it is with `dockerd --bridge=none`. */
const defaultMode = ({ networks }: Daemon): string =>
  networks.host.lack === null ? 'bridge' : 'none';

/** The reference may be a name, and names change: what is kept is the id. */
export const fixedNetworkMode = (daemon: Daemon, mode: string): string => {
  const lender = networkLender(daemon, mode);
  if (lender) return `${CONTAINER_PREFIX}${lender.id}`;
  return mode === '' || mode === 'default' ? defaultMode(daemon) : mode;
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

/** Whether the mode names a network that the container is a member of. */
export const isNetworkName = (mode: string): boolean =>
  mode !== 'host' && mode !== 'none' && !mode.startsWith(CONTAINER_PREFIX);
