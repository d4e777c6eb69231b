/** One container in one network. Upstream: moby daemon/libnetwork/endpoint.go. */

/** What was asked for, with `docker run` or with `docker network connect`. */
export interface EndpointSettings {
  /** The network as it was named: it is looked up when the container starts. */
  readonly network: string;
  readonly aliases: readonly string[];
  /** `name:alias` of neighbours, for this container alone; missing in notes of an older engine. */
  readonly links?: readonly string[];
  /** `--ip`; empty for any. */
  readonly address: string;
  /** `--ip6`; empty, or missing in notes of an older engine, for any. */
  readonly address6?: string;
  /** `--link-local-ip`: addresses beside its own; missing for none. */
  readonly linkLocal?: readonly string[];
  /** `--mac-address`; empty for one that follows from the address. */
  readonly mac: string;
  readonly driverOptions: Readonly<Record<string, string>>;
  /** Of several networks the one with the highest gets the default route. */
  readonly gatewayPriority: number;
}

/** On a network that has IPv6. */
export interface Endpoint6 {
  readonly address: string;
  readonly prefix: number;
  /** Empty where nothing leads out. */
  readonly gateway: string;
}

/** What it has got while it runs. */
export interface Endpoint {
  readonly id: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly bridge: string;
  readonly address: string;
  readonly prefix: number;
  /** Empty where nothing leads out. */
  readonly gateway: string;
  readonly ipv6?: Endpoint6;
  readonly linkLocal?: readonly string[];
  readonly mac: string;
  readonly mtu: number;
  readonly aliases: readonly string[];
  /** In the container, and its other end on the host. */
  readonly interfaceName: string;
  readonly hostInterface: string;
}

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

export const isMac = (text: string): boolean => MAC.test(text);
export const bytesOfMac = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex');
const textOfMac = (bytes: Buffer): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');

/** Docker's way: the address decides, so that whoever gets it again is known to its neighbours. */
export const macFor = (address: string): string =>
  textOfMac(Buffer.from([0x02, 0x42, ...address.split('.').map(Number)]));
