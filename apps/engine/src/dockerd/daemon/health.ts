/**
 * Runs a container's health check, again and again while it runs: a command in the container, whose exit code says how
 * it is. Upstream: moby daemon/health.go.
 *
 * Probes are traced, each as a trace of its own, until the container is healthy: a check that goes well every few
 * seconds for days would tell nothing new, and push everything else out of the collector.
 */
import { setTimeout } from 'node:timers/promises';
import { messageOf } from '../../protocol/errdefs.ts';
import { withContext } from '../../tracing/context.ts';
import type { Container } from '../container/container.ts';
import type { Exec } from '../container/exec.ts';
import { Health, healthPlan, type HealthPlan, type ProbeResult } from '../container/health.ts';
import type { Daemon } from './daemon.ts';
import { containerEvent } from './events.ts';
import { createExec, launchExec } from './exec.ts';

const OUTPUT_BYTES = 4096;
const SIGKILL = 9;

/** Precondition: the container runs. Ends with `stopHealth`. */
export const watchHealth = (daemon: Daemon, container: Container): void => {
  stopHealth(container);
  const plan = healthPlan(container.record.config.Healthcheck);
  container.health = plan ? new Health(plan, Date.parse(container.state.startedAt)) : null;
  if (!plan || !container.health) return;
  const abort = new AbortController();
  container.stopsHealth = abort;
  const signal = AbortSignal.any([abort.signal, daemon.signal]);
  // Outside of the request that started the container.
  withContext(
    undefined,
    () => void monitor(daemon, container, { plan, health: container.health, signal }),
  );
};

/** A container that does not run is not healthy. */
export const stopHealth = (container: Container): void => {
  if (!container.stopsHealth) return;
  container.stopsHealth.abort();
  container.stopsHealth = null;
  if (container.health) container.health.status = 'unhealthy';
};

interface Watch {
  readonly plan: HealthPlan;
  readonly health: Health | null;
  readonly signal: AbortSignal;
}

const monitor = async (
  daemon: Daemon,
  container: Container,
  { plan, health, signal }: Watch,
): Promise<void> => {
  if (!health) return;
  for (;;) {
    await setTimeout(health.pauseMs(), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    if (container.state.status !== 'running') continue;
    const result = await observed(daemon, container, health, () => probe(daemon, container, plan));
    if (signal.aborted) return;
    if (health.take(result)) {
      daemon.events.emit(containerEvent(container, `health_status: ${health.status}`));
    }
  }
};

const observed = <T>(
  daemon: Daemon,
  container: Container,
  health: Health,
  work: () => Promise<T>,
): Promise<T> =>
  health.status === 'healthy'
    ? work()
    : daemon.tracer.span(
        'daemon.healthProbe',
        {
          parent: null,
          level: 'step',
          links: container.links,
          attributes: { 'container.id': container.id, 'container.name': container.name },
          source: __SOURCE__,
        },
        work,
      );

const probe = async (
  daemon: Daemon,
  container: Container,
  { command, timeoutMs }: HealthPlan,
): Promise<ProbeResult> => {
  const start = new Date().toISOString();
  const end = (ExitCode: number, Output: string): ProbeResult => ({
    Start: start,
    End: new Date().toISOString(),
    ExitCode,
    Output,
  });
  try {
    const id = await createExec(daemon, container, {
      User: container.record.config.User,
      Privileged: false,
      Tty: false,
      ConsoleSize: [0, 0],
      AttachStdin: false,
      AttachStdout: true,
      AttachStderr: true,
      DetachKeys: '',
      Env: [],
      WorkingDir: '',
      Cmd: [...command],
    });
    const exec = daemon.execs.find(id);
    const output = collectOutput(exec);
    const failure = await launchExec(daemon, exec, { isAttached: true, consoleSize: [0, 0] });
    if (failure) return end(-1, failure.message);
    const abort = new AbortController();
    const late = setTimeout(timeoutMs, true, { signal: abort.signal }).catch(() => false);
    const isLate = await Promise.race([exec.ended.then(() => false), late]);
    abort.abort();
    if (!isLate) return end(exec.exitCode ?? -1, output());
    await daemon.execClient.kill(container.id, exec.id, SIGKILL).catch(() => undefined);
    return end(-1, `Health check exceeded timeout (${timeoutMs / 1000}s): ${output()}`);
  } catch (error) {
    return end(-1, messageOf(error));
  }
};

/** The beginning of what it prints; the rest is thrown away. */
const collectOutput = (exec: Exec): (() => string) => {
  const chunks: Buffer[] = [];
  let size = 0;
  exec.hub.add({
    wants: { stdout: true, stderr: true },
    write: (_stream, bytes) => {
      const kept = bytes.subarray(0, OUTPUT_BYTES - size);
      size += kept.length;
      chunks.push(Buffer.from(kept));
      return true;
    },
    end: () => undefined,
  });
  return () => Buffer.concat(chunks).toString('utf8');
};
