/** What a container's own notes say of its networks. Upstream: moby daemon/network/settings.go. */
import { NO_NETWORK, type Container, type ContainerNetwork } from '../container/container.ts';
import type { Endpoint, EndpointSettings } from '../libnetwork/endpoint.ts';
import type { Network } from '../libnetwork/network.ts';
import type { OwnName } from '../oci/network-files.ts';
import { checkSettings } from './leases.ts';

export const networkOf = ({ record }: Container): ContainerNetwork => record.network ?? NO_NETWORK;

export const ownNamesOf = (
  { record: { config } }: Container,
  { address, ipv6 }: Pick<Endpoint, 'address' | 'ipv6'>,
): OwnName[] => {
  const name = config.Domainname
    ? `${config.Hostname}.${config.Domainname} ${config.Hostname}`
    : config.Hostname;
  return [address, ...(ipv6 ? [ipv6.address] : [])].map((each) => ({ address: each, name }));
};

/** Precondition: the caller writes the container's record down. */
export const setNetwork = (container: Container, change: Partial<ContainerNetwork>): void => {
  container.record = {
    ...container.record,
    network: { ...networkOf(container), ...change },
  };
};

/** For a container that does not run: it joins when it starts. */
export const saveSettings = (
  container: Container,
  network: Network,
  settings: EndpointSettings,
): void => {
  checkSettings(network, settings);
  setNetwork(container, { settings: [...networkOf(container).settings, settings] });
};

/** Whether these settings mean that network: by name, or by the beginning of its id. */
export const names = ({ id, name }: Network, { network }: EndpointSettings): boolean =>
  network === name || (network !== '' && id.startsWith(network));
