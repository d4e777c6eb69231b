/** Who is on a network, and by which names its neighbours find it. Upstream: moby daemon/libnetwork/sandbox.go. */
import type { SpanContext } from '../../tracing/context.ts';
import type { Endpoint } from './endpoint.ts';

/** One member of a network, by the names that its neighbours may use. */
export interface Member {
  readonly containerId: string;
  readonly pid: number;
  /** The default route leads through the first that has a gateway. */
  readonly endpoints: readonly Endpoint[];
  readonly namesIn: (networkId: string) => readonly string[];
  /** Its own name for a neighbour there → the name by which the others know it. */
  readonly linksIn: (networkId: string) => ReadonlyMap<string, string>;
  /** DNS servers for everybody else. */
  readonly upstream: () => readonly string[];
  /** The trace that the container was started in. */
  readonly context: SpanContext | null;
}

export interface Neighbour {
  readonly member: Member;
  readonly endpoint: Endpoint;
}

/** IPv4 and IPv6 addresses; null when nobody of them has that name. */
export const addressesFor = (
  name: string,
  asking: Member,
  neighbours: readonly Neighbour[],
): readonly string[] | null => {
  const found = neighbours.filter(({ member, endpoint }) => {
    // A link of one's own hides a neighbour of that name.
    const wanted = asking.linksIn(endpoint.networkId).get(name) ?? name;
    const network = endpoint.networkName.toLowerCase();
    return member
      .namesIn(endpoint.networkId)
      .map((each) => each.toLowerCase())
      .some((each) => each === wanted || `${each}.${network}` === wanted);
  });
  if (found.length === 0) return null;
  return found.flatMap(({ endpoint: { address, ipv6 } }) =>
    ipv6 ? [address, ipv6.address] : [address],
  );
};

export const nameFor = (address: string, neighbours: readonly Neighbour[]): string | null => {
  const found = neighbours.find(({ endpoint }) => endpoint.address === address);
  if (!found) return null;
  const [name = ''] = found.member.namesIn(found.endpoint.networkId);
  return `${name}.${found.endpoint.networkName}`;
};
