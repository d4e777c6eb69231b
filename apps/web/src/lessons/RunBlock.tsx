/** An experiment: the command that will really run, or the recording of it. */
import type { ReactNode } from 'react';
import { useStore } from 'zustand';
import { commandOf } from '@engine-room/engine/protocol/lesson/runs.ts';
import type { Run as Experiment } from '@engine-room/engine/protocol/lesson/front-matter.ts';
import type { Fault } from '@engine-room/engine/protocol/trace/fault.ts';
import type { TraceSummary } from '@engine-room/engine/protocol/trace/stream.ts';
import { usePlayhead, useTraces } from '../hooks.ts';
import { chooseRun } from '../session.ts';
import type { Here } from './Blocks.tsx';
import { earlierRun, openPrediction } from './flow.ts';
import { lessonStore, startRun, usesRecording } from './lesson-session.ts';
import { words } from '../messages/lesson-words.ts';

const faultWords = (): Readonly<Record<Fault, string>> => ({
  'kill-dockerd': 'SIGKILL → dockerd',
  'kill-containerd': 'SIGKILL → containerd',
  'kill-shim': words().killShim,
  'kill-container': words().killContainer,
  'stop-dockerd': words().stopDockerd,
  'stop-dockerd-live-restore': words().stopWithLiveRestore,
});

export const RunBlock = ({
  id,
  here: { module, lesson, progress },
  children,
}: {
  id: string;
  here: Here;
  children: ReactNode;
}) => {
  const asking = useStore(lessonStore, (state) => state.asking);
  const take = useStore(lessonStore, (state) => state.take);
  const instead = useStore(lessonStore, (state) => state.instead[id]);
  const failed = useStore(lessonStore, (state) => state.failed);
  useTraces(({ connection }) => connection.state);
  const traceId = progress.runs[id];
  const run = useTraces(({ runs }) => (traceId === undefined ? undefined : runs.get(traceId)));
  const isShown = usePlayhead((state) => traceId !== undefined && state.traceId === traceId);
  const recorded = usesRecording(lesson.id);
  const isRecording = recorded || run?.summary.origin === 'recording';
  const whyNot =
    openPrediction(lesson, progress, id) !== undefined
      ? words().lockFirst
      : earlierRun(lesson, progress, id) !== undefined
        ? words().runBefore
        : null;
  const experiment = lesson.runs[id];
  const times = experiment && 'command' in experiment ? (experiment.times ?? 1) : 1;
  // What is held tells nothing more, so it is asked whenever the trace has grown.
  useTraces(({ revision }) => revision);
  const isHeld =
    run?.summary.state === 'running' &&
    Object.keys(run.model.machineAt(run.model.length).held).length > 0;
  const isFault = experiment !== undefined && 'fault' in experiment;
  const isOutside = experiment !== undefined && 'outside' in experiment;
  const w = words();
  const once = isFault ? w.sendSignal : isOutside ? w.haveTyped : w.run;
  const act = recorded ? w.playRecording : traceId === undefined ? once : w.again(once);
  return (
    <div className="block block-run" data-run={id}>
      {children}
      <pre className="prose-code" tabIndex={0}>
        {experiment &&
          ('fault' in experiment ? faultWords()[experiment.fault] : `$ ${commandOf(experiment)}`)}
        {times > 1 && <span className="muted"> {w.times(times)}</span>}
      </pre>
      <p className="block-acts">
        <button
          type="button"
          className={traceId === undefined ? 'primary' : undefined}
          aria-disabled={whyNot !== null || asking !== null}
          onClick={() => {
            if (whyNot === null) void startRun(module, id);
          }}
        >
          {asking !== id ? act : times > 1 ? w.sendingTake(take, times) : w.sending}
        </button>
        {run && !isShown && (
          <button type="button" onClick={() => chooseRun(run.summary.traceId)}>
            {w.showRun}
          </button>
        )}
        <span role="status">
          {whyNot ??
            (isHeld
              ? w.held
              : run && experiment
                ? became(experiment, run.summary, isRecording)
                : traceId !== undefined && w.notKept)}
        </span>
      </p>
      {instead !== undefined && <p className="muted">{w.instead(instead)}</p>}
      {failed?.run === id && (
        <p className="problem" role="alert">
          {failed.why}
        </p>
      )}
    </div>
  );
};

const became = (
  experiment: Experiment,
  summary: Pick<TraceSummary, 'state' | 'exitCode' | 'title'>,
  isRecording: boolean,
): string =>
  isRecording ? words().recorded(becameOf(experiment, summary)) : becameOf(experiment, summary);

const becameOf = (
  experiment: Experiment,
  { state, exitCode, title }: Pick<TraceSummary, 'state' | 'exitCode' | 'title'>,
): string => {
  if ('fault' in experiment) return words().signalSent;
  if ('outside' in experiment) return words().seen(title);
  if (state === 'running' && exitCode === null) return words().running;
  const code = String(exitCode ?? '?');
  return 'program' in experiment ? words().programEnded(code) : words().dockerEnded(code);
};
