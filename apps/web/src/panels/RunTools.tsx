/** What can be done with the shown run besides looking at it: link, save, export, compare, and opening another. */
import '../styles/run-tools.css';
import { t } from '../messages/catalogue.ts';
import {
  copyLink,
  pickTraceFile,
  saveOtlp,
  savePage,
  savePicture,
  saveTrace,
} from '../run-files.ts';
import { useReader } from '../hooks.ts';
import { openDialog } from '../reader-store.ts';
import { Toolbar } from '../ui/Toolbar.tsx';
import type { Run } from '../trace/trace-store.ts';

export const RunTools = ({ run }: { run: Run | undefined }) => {
  const notice = useReader((state) => state.notice);
  return (
    <>
      <Toolbar className="run-tools" label={t().runs.tools}>
        {run && (
          <>
            <button type="button" className="quiet" onClick={() => void copyLink()}>
              {t().runs.link}
            </button>
            <button type="button" className="quiet" onClick={() => void saveTrace(run)}>
              {t().runs.save}
            </button>
            <button type="button" className="quiet" onClick={() => void savePage(run)}>
              {t().runs.html}
            </button>
            <button type="button" className="quiet" onClick={() => saveOtlp(run)}>
              {t().runs.otlp}
            </button>
            {(['png', 'svg'] as const).map((kind) => (
              <button
                key={kind}
                type="button"
                className="quiet"
                onClick={() => void savePicture(run, kind)}
              >
                {t().runs[kind]}
              </button>
            ))}
            <button type="button" className="quiet" onClick={() => openDialog('compare')}>
              {t().runs.compare}
            </button>
          </>
        )}
        <button type="button" className="quiet" onClick={pickTraceFile}>
          {t().runs.open}
        </button>
      </Toolbar>
      <p role="status" className="run-notice">
        {notice}
      </p>
    </>
  );
};
