/**
 * A program of the lab's own that the page may start by name. What it does stands here and in `content/programs`:
 * nothing of it comes from the page.
 */

/** What is started, and as whom. */
export interface Launch {
  readonly file: string;
  /** With its name first, as the kernel gets it. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Somebody other than root. */
  readonly identity?: { readonly uid: number; readonly gid: number };
  readonly printsContainer: boolean;
  /** A docker command's trace is named after its process; any other program gets one. */
  readonly isDocker: boolean;
}

/** What this machine has for programs. */
export interface Places {
  readonly dockerFile: string;
  readonly dockerSocket: string;
  /** Others may pass through it. */
  readonly execRoot: string;
  /** Where the engine's processes tell their traces. */
  readonly traceSocket: string;
  /** Root's alone. */
  readonly labFolder: string;
  /** Whose the run is, for what it makes. */
  readonly label: string;
  /** Where the filter listens that lets only questions through. */
  readonly proxySocket: () => Promise<string>;
}

export interface LabProgram {
  /** It sees every container of the engine, so it may run only where all of them are the learner's. */
  readonly seesAllContainers: boolean;
  /** The launch, or what this machine lacks for it. */
  readonly launch: (places: Places) => Promise<Launch | { readonly lacks: string }>;
}
