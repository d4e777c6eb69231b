/** What can be done with the shown run besides looking at it: link, save, export, compare, and opening another. */
import '../styles/run-tools.css';
import { useRef } from 'react';
import { copyLink, openTraceFile, saveOtlp, savePage, saveTrace } from '../run-files.ts';
import { useReader } from '../hooks.ts';
import { readerStore } from '../reader-store.ts';
import type { Run } from '../trace/trace-store.ts';

export const RunTools = ({ run }: { run: Run | undefined }) => {
  const picker = useRef<HTMLInputElement>(null);
  const notice = useReader((state) => state.notice);
  return (
    <div className="run-tools">
      {run && (
        <>
          <button type="button" className="quiet" onClick={() => void copyLink()}>
            Link
          </button>
          <button type="button" className="quiet" onClick={() => void saveTrace(run)}>
            Save
          </button>
          <button type="button" className="quiet" onClick={() => void savePage(run)}>
            HTML
          </button>
          <button type="button" className="quiet" onClick={() => saveOtlp(run)}>
            OTLP
          </button>
          <button
            type="button"
            className="quiet"
            onClick={() => readerStore.setState({ isCompareOpen: true })}
          >
            Compare
          </button>
        </>
      )}
      <button type="button" className="quiet" onClick={() => picker.current?.click()}>
        Open file
      </button>
      <input
        ref={picker}
        type="file"
        hidden
        accept=".gz,.trace,application/gzip"
        aria-label="A recorded run"
        onChange={({ target }) => {
          const [file] = target.files ?? [];
          if (file) void openTraceFile(file);
          target.value = '';
        }}
      />
      <p role="status" className="run-notice">
        {notice}
      </p>
    </div>
  );
};
