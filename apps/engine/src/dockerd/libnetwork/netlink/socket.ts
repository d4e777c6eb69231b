/**
 * A netlink socket of a network namespace: the host's, or a container's that dockerd itself never enters.
 * See netlink(7), network_namespaces(7).
 */
import { closeSync, constants, openSync } from 'node:fs';
import type { Native } from '../../../../../../native/native.ts';
import { readAnswers, type Answer } from './message.ts';

export type NetlinkNative = Pick<Native, 'openSocket' | 'netlink'>;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

export class NetlinkSocket {
  readonly #fd: number;
  readonly #native: NetlinkNative;

  /** `namespace` is a descriptor of /proc/<pid>/ns/net; -1 for our own. */
  constructor(native: NetlinkNative, protocol: number, namespace = -1) {
    this.#native = native;
    this.#fd = native.openSocket({
      namespace,
      domain: AF_NETLINK,
      type: SOCK_RAW,
      protocol,
      address: new Uint8Array(),
    });
  }

  /** `what` begins the sentence when the kernel refuses. */
  ask(what: string, ...messages: readonly Uint8Array[]): Answer[] {
    return readAnswers(this.#native.netlink(this.#fd, Buffer.concat(messages)), what);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The namespace stays open while `work` runs, whoever dies meanwhile. */
export const withNamespace = <T>(path: string, work: (namespace: number) => T): T => {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
};
