/**
 * `lab`: starts everything, prints one URL, and stays in the foreground until Ctrl-C.
 * Its death by SIGKILL hurts nobody: the daemons go on, and the next lab adopts them.
 */
import { spawn } from 'node:child_process';
import { messageOf } from '../protocol/errdefs.ts';
import { findCapabilities } from './capabilities.ts';
import { startLab, type StartedLab } from './lab.ts';
import { HELP, parseOptions, type LabOptions } from './options.ts';
import { ownerOfPort } from './socket-owner.ts';

process.title = 'lab';

const main = async (): Promise<void> => {
  const options = parseOptions(process.argv.slice(2), process.env, process.getuid?.() === 0);
  if (!options) {
    process.stdout.write(HELP);
    return;
  }
  const capabilities = await findCapabilities(options.dataRoot);
  const lab = await startLab(options, capabilities);
  stopOnSignals(lab, options);
  await lab.daemons;
  greet(lab, options, capabilities.reason);
};

const greet = (lab: StartedLab, options: LabOptions, reason: string | null): void => {
  if (reason !== null)
    console.log(`This machine cannot start containers: ${reason}.\nThe page shows recorded runs.`);
  for (const problem of lab.problems()) console.error(`lab: does not run yet: ${problem}`);
  if (reason === null)
    console.log(
      `Any Docker client works too:  DOCKER_HOST=unix://${lab.paths.dockerSocket} docker ps`,
    );
  if (lab.audienceUrl !== null)
    console.log(
      `An audience may follow rooms at  ${lab.audienceUrl}/room  (HTTP: others in that network can read along).`,
    );
  console.log(`\n  Open  ${lab.url}\n`);
  if (options.open) openBrowser(lab.url);
};

const stopOnSignals = (lab: StartedLab, { liveRestore }: LabOptions): void => {
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    const count = await lab.runningContainers().catch(() => 0);
    if (count > 0) {
      const containers = count === 1 ? '1 running container' : `${count} running containers`;
      console.log(
        liveRestore
          ? `\nStopping the daemons; ${containers} will go on (--live-restore), and the next start finds them again.`
          : `\nStopping the daemons; dockerd stops ${containers} first, as Docker does without --live-restore.`,
      );
    } else {
      console.log('\nStopping the daemons.');
    }
    await lab.stop();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stop().catch((error: unknown) => {
        console.error(`lab: ${messageOf(error)}`);
        process.exit(1);
      });
    });
  }
};

/** Only where somebody sits in front of it. */
const openBrowser = (url: string): void => {
  if (!process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) return;
  if (process.getuid?.() === 0) return;
  const opener = spawn('xdg-open', [url], { stdio: 'ignore', detached: true });
  opener.on('error', () => undefined);
  opener.unref();
};

main().catch((error: unknown) => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    const port = error instanceof Error && 'port' in error ? Number(error.port) : 0;
    console.error(
      `lab: port ${port} is taken by ${ownerOfPort(port) ?? 'another process'}. Choose another with --port`,
    );
  } else if (code === 'EACCES' || code === 'EPERM') {
    console.error(`lab: ${messageOf(error)}. Start it with sudo, or choose other folders (--help)`);
  } else {
    console.error(`lab: ${messageOf(error)}`);
  }
  process.exit(1);
});
