/**
 * `runc pause ID` and `runc resume ID`: all processes of the container stand still, and go on.
 * cgroups(7). Upstream: runc pause.go.
 */
import { resolve } from 'node:path';
import { setFrozen } from '../libcontainer/cgroups/freezer.ts';
import { readState } from '../libcontainer/state-file.ts';
import { EngineError } from '../protocol/errdefs.ts';
import { parseId } from './command-line.ts';
import type { Verb } from './verb.ts';

const freezing =
  (verb: 'pause' | 'resume'): Verb =>
  async ({ tracer, global, rest }) => {
    const { id } = parseId(verb, rest);
    const words = { source: __SOURCE__, attributes: { 'container.id': id } } as const;
    await tracer.span(`runc ${verb}`, words, async () => {
      const { status, cgroupPaths } = readState(resolve(global.root), id);
      if (verb === 'resume' && status !== 'paused')
        throw new EngineError('failed_precondition', 'container not paused');
      if (verb === 'pause' && status !== 'running' && status !== 'created')
        throw new EngineError('failed_precondition', 'container not running');
      await setFrozen(cgroupPaths, verb === 'pause');
    });
  };

export const pause: Verb = freezing('pause');
export const resume: Verb = freezing('resume');
