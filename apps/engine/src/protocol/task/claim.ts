/**
 * How containerd takes a pre-warmed shim (a spare) for a container. Real containerd has no such thing; it starts
 * a shim per container, and a shim in Go is quicker to start than one in Node.
 *
 *   containerd                                      template
 *     starts, detached:  containerd-shim-engineroom-v2 -address <containerd.sock> -publish-binary <containerd> spare <claim socket>
 *                                                     loads everything, listens on <claim socket> (mode 0600)
 *     connects: the line that lasts
 *                                  ← SpareHello       one line of JSON: the template's own
 *     … keeps the connection open; when it ends, the template exits …
 *     LearnRequest →                                  one line of JSON, when nothing else goes on
 *                                                     compiles what the last container had: later spares have it, too
 *                                  ← {}               one line of JSON
 *
 *     connects again, for each spare                  forks a copy of itself, which goes on with this connection
 *
 *   containerd                                      spare
 *                                  ← SpareHello       one line of JSON
 *     … keeps the connection open; if it ends unclaimed, the spare exits …
 *     ForeseeRequest →                                one line of JSON, when a container is made
 *                                                     reads the specification while nobody waits
 *     ClaimRequest →                                  one line of JSON
 *                                                     chdir to the bundle, renames itself as `ps` shows a shim,
 *                                                     listens on its ttrpc socket, writes `address` into the bundle
 *                                  ← ClaimAnswer      one line of JSON, then it closes the connection
 *
 * From then on it is a shim like any other. A template to which nobody connects within SPARE_ORPHAN_MS exits by itself.
 */

export interface SpareHello {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat. */
  readonly startTime: string;
}

export interface LearnRequest {
  /** `linux.seccomp` of a config.json. */
  readonly seccomp: unknown;
}

/** A container has been made, and its task will probably be the next. */
export interface ForeseeRequest {
  /** config.json, as text. */
  readonly config: string;
}

export interface ClaimRequest {
  readonly namespace: string;
  readonly id: string;
  /** The bundle; it becomes the working directory. */
  readonly bundle: string;
  /** containerd's gRPC socket, as `-address`. */
  readonly address: string;
  /** containerd's ttrpc socket, as TTRPC_ADDRESS. */
  readonly ttrpcAddress: string;
  /** As `-publish-binary`. */
  readonly publishBinary: string;
  readonly debug: boolean;
  /** The span that claims (W3C trace context), so that the claim is told in the right trace. */
  readonly traceparent?: string;
}

/** What `start` prints as JSON when it has started a shim, or why the claim failed. */
export type ClaimAnswer = BootstrapAnswer | { readonly error: string };

export interface BootstrapAnswer {
  readonly version: number;
  /** `unix:///…/s/<sha256>` */
  readonly address: string;
  readonly protocol: 'ttrpc';
}

/**
 * glibc raises the size from which it gives memory back to the kernel whenever such a block is freed; loading a program
 * frees many. Held at 64 KiB, a shim weighs a third less for as long as its container lives. Nor does each of its few
 * threads need a heap of its own. mallopt(3)
 */
export const SHIM_MALLOC = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_ARENA_MAX: '1' } as const;

/** The verb after the flags. */
export const SPARE_ACTION = 'spare';
/** Of any of these. */
export const LINE_LIMIT_BYTES = 64 * 1024;
export const SPARE_ORPHAN_MS = 30_000;
