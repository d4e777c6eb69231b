/** One's progress as a file: taken away, and brought to another browser. */
import { useRef, useState } from 'react';
import { exported, imported } from './progress.ts';
import { words } from '../messages/lesson-words.ts';

const LARGEST_FILE_BYTES = 4 * 1024 * 1024;

export const ProgressFile = () => {
  const input = useRef<HTMLInputElement>(null);
  const [notice, setNotice] = useState<string | null>(null);
  const open = async (file: File): Promise<void> => {
    const isTooLarge = file.size > LARGEST_FILE_BYTES;
    const answer = isTooLarge ? { problem: 'tooLarge' as const } : imported(await file.text());
    setNotice(
      'problem' in answer
        ? words().cannotRead(file.name, words()[answer.problem])
        : words().takenOver(file.name, answer.taken),
    );
  };
  return (
    <div className="progress-file">
      <p className="muted">
        {words().kept}{' '}
        <button type="button" className="quiet" onClick={saveProgress}>
          {words().save}
        </button>{' '}
        <button type="button" className="quiet" onClick={() => input.current?.click()}>
          {words().open}
        </button>
        <input
          ref={input}
          type="file"
          hidden
          aria-label={words().progressFile}
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
