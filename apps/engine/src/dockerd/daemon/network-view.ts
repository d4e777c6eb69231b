/**
 * What a container's own files shall say of its networks: /etc/hosts and /etc/resolv.conf.
 * Upstream: moby daemon/container_operations.go (buildSandboxOptions).
 */
import type { Container } from '../container/container.ts';
import type { NetworkView } from '../oci/network-files.ts';
import { networkOf, ownNamesOf } from './container-network.ts';
import type { Daemon } from './daemon.ts';
import { linkHosts } from './links.ts';

export const networkView = (daemon: Daemon, container: Container): NetworkView => {
  const { networks } = daemon;
  const { endpoints } = networkOf(container);
  const bridge = networks.store.byName('bridge');
  return {
    own: endpoints.flatMap((endpoint) => ownNamesOf(container, endpoint)),
    links: linkHosts(daemon, container),
    hostGateway: bridge?.gateway ?? '',
    names:
      endpoints.length === 0
        ? 'none'
        : endpoints.some(({ networkId }) => networkId !== bridge?.id)
          ? 'resolver'
          : 'host',
  };
};
