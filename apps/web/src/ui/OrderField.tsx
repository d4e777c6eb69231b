/** A list to be put in order, by keys and buttons alone. */
import { useEffect, useRef, useState } from 'react';
import { words } from '../messages/lesson-words.ts';
import './order-field.css';

interface OrderFieldProps {
  readonly options: readonly { readonly id: string; readonly say: string }[];
  readonly order: readonly string[];
  readonly onChange: (order: string[]) => void;
}

export const OrderField = ({ options, order, onChange }: OrderFieldProps) => {
  const list = useRef<HTMLOListElement>(null);
  const [moved, setMoved] = useState<{ readonly id: string; readonly by: number } | null>(null);
  // The button goes with its line, and the focus with the button.
  useEffect(() => {
    if (!moved) return;
    const line = list.current?.querySelector(`[data-id="${moved.id}"]`);
    const wanted = line?.querySelector<HTMLButtonElement>(`[data-by="${moved.by}"]`);
    (wanted?.disabled ? line?.querySelector<HTMLButtonElement>('button:enabled') : wanted)?.focus();
  }, [moved, order]);
  const move = (id: string, by: -1 | 1): void => {
    const from = order.indexOf(id);
    const next = [...order];
    next.splice(from, 1);
    next.splice(from + by, 0, id);
    setMoved({ id, by });
    onChange(next);
  };
  const wordsOf = (id: string): string => options.find((option) => option.id === id)?.say ?? id;
  return (
    <ol ref={list} className="order">
      {order.map((id, index) => (
        <li key={id} data-id={id}>
          <span>{wordsOf(id)}</span>
          <button
            type="button"
            className="quiet"
            data-by={-1}
            disabled={index === 0}
            aria-label={words().moveUp(wordsOf(id))}
            onClick={() => move(id, -1)}
          >
            ↑
          </button>
          <button
            type="button"
            className="quiet"
            data-by={1}
            disabled={index === order.length - 1}
            aria-label={words().moveDown(wordsOf(id))}
            onClick={() => move(id, 1)}
          >
            ↓
          </button>
        </li>
      ))}
    </ol>
  );
};
