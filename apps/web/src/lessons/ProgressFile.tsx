/** One's progress as a file: taken away, and brought to another browser. */
import { useRef, useState } from 'react';
import { exported, imported } from './progress.ts';

const LARGEST_FILE_BYTES = 4 * 1024 * 1024;

export const ProgressFile = () => {
  const input = useRef<HTMLInputElement>(null);
  const [notice, setNotice] = useState<string | null>(null);
  const open = async (file: File): Promise<void> => {
    const isTooLarge = file.size > LARGEST_FILE_BYTES;
    const answer = isTooLarge ? { problem: 'it is too large' } : imported(await file.text());
    setNotice(
      'problem' in answer
        ? `${file.name} cannot be read: ${answer.problem}. Your progress is as it was.`
        : `${file.name}: ${answer.taken} ${answer.taken === 1 ? 'lesson' : 'lessons'} taken over.`,
    );
  };
  return (
    <div className="progress-file">
      <p className="muted">
        Progress is kept in this browser only.{' '}
        <button type="button" className="quiet" onClick={saveProgress}>
          Save it as a file
        </button>{' '}
        <button type="button" className="quiet" onClick={() => input.current?.click()}>
          Open such a file
        </button>
        <input
          ref={input}
          type="file"
          hidden
          aria-label="A file with progress"
          accept=".json,application/json"
          onChange={({ target }) => {
            const [file] = target.files ?? [];
            if (file) void open(file);
            // The same file can be chosen again.
            target.value = '';
          }}
        />
      </p>
      <p role="status">{notice}</p>
    </div>
  );
};

const saveProgress = (): void => {
  const url = URL.createObjectURL(new Blob([exported()], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'engine-room-progress.json';
  link.click();
  URL.revokeObjectURL(url);
};
