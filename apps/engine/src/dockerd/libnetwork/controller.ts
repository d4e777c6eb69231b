/**
 * All networks of this engine, and the containers in them while they run.
 * The daemon says who joins and who leaves; this makes it so in the kernel, and tells it to the trace.
 * Upstream: moby daemon/libnetwork/controller.go.
 */
import { withContext } from '../../tracing/context.ts';
import type { Tracer } from '../../tracing/tracer.ts';
import type { Endpoint } from './endpoint.ts';
import { HostSide } from './host-side.ts';
import { AddressBook } from './ipam.ts';
import { AddressBook6 } from './ipam6.ts';
import { addressesFor, nameFor, type Member, type Neighbour } from './member.ts';
import { isPredefined, type Network } from './network.ts';
import { newNetwork, NetworkStore } from './network-store.ts';
import type { NetlinkNative } from './netlink/socket.ts';
import { PortMapper, type PublishedPort } from './port-mapper.ts';
import type { PortWish } from './port-wishes.ts';
import { Resolver } from './resolver.ts';
import { changeWayOut, namespacePath, plugIn, unplug } from './sandbox.ts';
import { Teller } from './teller.ts';

interface Sandbox {
  member: Member;
  ports: readonly PublishedPort[];
  /** The endpoint that the ports lead to. */
  portBridge: string;
  resolver: Resolver | null;
}

export interface ControllerOptions {
  readonly dataRoot: string;
  readonly storeRoot: string;
  /** `dockerd --ipv6`: a subnet for the default bridge, or empty for one of the engine's own; null for none. */
  readonly defaultIpv6: string | null;
  readonly native: NetlinkNative;
  readonly tracer: Tracer;
}

const wayOut = (endpoints: readonly Endpoint[]): Endpoint | null =>
  endpoints.find(({ gateway }) => gateway !== '') ?? null;

export class NetworkController {
  readonly store: NetworkStore;
  readonly addresses = new AddressBook();
  readonly addresses6 = new AddressBook6();
  readonly teller: Teller;
  readonly host: HostSide;
  readonly #native: NetlinkNative;
  readonly #ports = new PortMapper();
  readonly #sandboxes = new Map<string, Sandbox>();
  #isSettled = false;

  constructor({ dataRoot, storeRoot, defaultIpv6, native, tracer }: ControllerOptions) {
    this.#native = native;
    this.store = new NetworkStore(storeRoot);
    this.teller = new Teller(tracer);
    const { store, teller } = this;
    this.host = new HostSide({ dataRoot, defaultIpv6, native, store, teller });
  }

  async load(): Promise<void> {
    await this.store.load();
    for (const [name, driver] of [
      ['host', 'host'],
      ['none', 'null'],
    ] as const) {
      if (!this.store.byName(name)) await this.store.add(newNetwork({ name, driver }));
    }
    await this.host.load();
  }

  /** Called once, when the containers that were running have been adopted. */
  settle(): void {
    this.#isSettled = true;
    this.#applyRules();
    this.host.becomeRouter();
  }

  /** Where containers go on, their networks do as well. */
  takeDown(): void {
    if (this.#isSettled && this.#sandboxes.size === 0) this.host.takeDown();
  }

  async addNetwork(network: Network): Promise<void> {
    await this.store.add(network);
    try {
      this.host.addBridge(network);
      this.#applyRules();
    } catch (error) {
      this.host.removeBridge(network);
      await this.store.remove(network.id);
      throw error;
    }
  }

  async removeNetwork(network: Network): Promise<void> {
    this.host.removeBridge(network);
    await this.store.remove(network.id);
    this.addresses.forget(network.id);
    this.addresses6.forget(network.id);
    this.#applyRules();
  }

  /** The container's namespace is furnished: cables, addresses, the way out, names. */
  async enter(member: Member): Promise<void> {
    const sandbox: Sandbox = { member, ports: [], portBridge: '', resolver: null };
    this.#sandboxes.set(member.containerId, sandbox);
    this.host.passBesideDocker();
    const out = wayOut(member.endpoints);
    for (const endpoint of member.endpoints) this.#plugIn(member.pid, endpoint, endpoint === out);
    await this.#openResolver(sandbox);
  }

  /** The container has been running all along; only what dockerd itself does for it begins again. */
  async adopt(member: Member, ports: readonly PublishedPort[]): Promise<void> {
    if (this.#sandboxes.has(member.containerId)) return;
    const sandbox: Sandbox = { member, ports: [], portBridge: '', resolver: null };
    this.#sandboxes.set(member.containerId, sandbox);
    await this.#openResolver(sandbox);
    const [endpoint] = member.endpoints;
    if (!endpoint || ports.length === 0) return;
    const wishes = ports.map(({ protocol, containerPort, hostIp, hostPort }): PortWish => ({
      protocol,
      containerPort,
      hostIp,
      hostPorts: { first: hostPort, last: hostPort },
    }));
    const toIpv4 = ports.find(({ containerIp }) => !containerIp.includes(':'));
    await this.publish(member.containerId, wishes, toIpv4?.containerIp ?? endpoint.address);
  }

  /** Ports of the host that lead to the container from now on. */
  async publish(
    containerId: string,
    wishes: readonly PortWish[],
    containerIp: string,
  ): Promise<readonly PublishedPort[]> {
    const sandbox = this.#sandboxes.get(containerId);
    const endpoint = sandbox?.member.endpoints.find(({ address }) => address === containerIp);
    if (!sandbox || !endpoint || wishes.length === 0) return [];
    const { context } = sandbox.member;
    const begin = process.hrtime.bigint();
    const addresses = { ipv4: containerIp, ipv6: endpoint.ipv6?.address ?? '' };
    sandbox.ports = await this.#ports.publish(wishes, addresses, (port, from) => {
      if (!context) return;
      withContext(context, () =>
        this.teller.note('a connection comes through the published port', 'step', __SOURCE__, {
          ...portFacts(port),
          'client.address': from,
        }),
      );
    });
    sandbox.portBridge = endpoint.bridge;
    this.#applyRules();
    for (const port of sandbox.ports) {
      this.teller.done(
        {
          name: 'bind',
          title: `port ${port.hostPort} of the host leads to ${port.containerIp}:${port.containerPort}`,
          detail: `{${port.protocol}, ${port.hostIp}:${port.hostPort}}`,
          level: 'step',
          reference: 'man:bind(2)',
          source: __SOURCE__,
          attributes: portFacts(port),
        },
        begin,
      );
    }
    return sandbox.ports;
  }

  /** `docker network connect` to a running container. */
  async join(containerId: string, member: Member, endpoint: Endpoint): Promise<void> {
    const sandbox = this.#sandboxes.get(containerId);
    if (!sandbox) return;
    const before = wayOut(sandbox.member.endpoints);
    this.#plugIn(member.pid, endpoint, false);
    sandbox.member = member;
    this.#changeWayOut(member.pid, before, wayOut(member.endpoints));
    await this.#openResolver(sandbox);
  }

  /** `docker network disconnect`. */
  part(containerId: string, member: Member, endpoint: Endpoint): void {
    const sandbox = this.#sandboxes.get(containerId);
    if (!sandbox) return;
    const before = wayOut(sandbox.member.endpoints);
    unplug(this.#kernel, endpoint);
    sandbox.member = member;
    this.#changeWayOut(member.pid, before, wayOut(member.endpoints));
  }

  /** The container's namespace goes with its last process; what dockerd holds for it goes here. */
  leave(containerId: string, { isShared }: { readonly isShared: boolean }): void {
    const sandbox = this.#sandboxes.get(containerId);
    if (!sandbox) return;
    this.#sandboxes.delete(containerId);
    sandbox.resolver?.close();
    this.#ports.withdraw(sandbox.ports);
    if (sandbox.ports.length > 0) this.#applyRules();
    for (const endpoint of sandbox.member.endpoints) {
      // Another container lives on in the namespace; it must not keep an address that is free by now.
      if (isShared) unplug(this.#kernel, endpoint);
    }
  }

  membersOf(networkId: string): Neighbour[] {
    return [...this.#sandboxes.values()].flatMap(({ member }) =>
      member.endpoints
        .filter((endpoint) => endpoint.networkId === networkId)
        .map((endpoint) => ({ member, endpoint })),
    );
  }

  get #kernel() {
    return { native: this.#native, route: this.host.route, teller: this.teller };
  }

  #plugIn(pid: number, endpoint: Endpoint, isWayOut: boolean): void {
    plugIn(this.#kernel, { pid, endpoint, isWayOut });
  }

  #changeWayOut(pid: number, from: Endpoint | null, to: Endpoint | null): void {
    changeWayOut(this.#kernel, { pid, from, to });
  }

  #isUserDefined(endpoint: Endpoint): boolean {
    const network = this.store.list().find(({ id }) => id === endpoint.networkId);
    return network !== undefined && !isPredefined(network);
  }

  /** Where a container has a network with a name service, it has a server; on the default bridge it has none. */
  async #openResolver(sandbox: Sandbox): Promise<void> {
    const { member } = sandbox;
    if (sandbox.resolver || !member.endpoints.some((each) => this.#isUserDefined(each))) return;
    sandbox.resolver = await Resolver.open(this.#native, namespacePath(member.pid), {
      addressesOf: (name) => this.#addressesOf(sandbox.member, name),
      nameOf: (address) => nameFor(address, this.#neighboursOf(sandbox.member)),
      upstream: () => (wayOut(sandbox.member.endpoints) ? sandbox.member.upstream() : []),
    });
  }

  #addressesOf(asking: Member, name: string): readonly string[] | null {
    const found = addressesFor(name, asking, this.#neighboursOf(asking));
    if (found && asking.context) {
      withContext(asking.context, () =>
        this.teller.note('DNS answers with a neighbour', 'detail', __SOURCE__, {
          'dns.question.name': name,
        }),
      );
    }
    return found;
  }

  #neighboursOf(member: Member): Neighbour[] {
    return member.endpoints
      .filter((endpoint) => this.#isUserDefined(endpoint))
      .flatMap(({ networkId }) => this.membersOf(networkId));
  }

  #applyRules(): void {
    if (!this.#isSettled) return;
    this.host.applyRules(
      [...this.#sandboxes.values()].flatMap(({ ports, portBridge }) =>
        ports.map((port) => ({ ...port, bridge: portBridge })),
      ),
    );
  }
}

const portFacts = ({ hostIp, hostPort, containerIp, containerPort, protocol }: PublishedPort) => ({
  'engineroom.port.host': `${hostIp}:${hostPort}`,
  'engineroom.port.container': `${containerIp}:${containerPort}`,
  'network.transport': protocol,
});
