/** The presenter's pointer as a laser: told as it moves over the stage, some twenty times a second, until it is off. */
import { useEffect, useState } from 'react';
import { point } from './present.ts';
import { pointAt } from './pointing.ts';

const TELL_MS = 50;

export const useLaser = (): readonly [boolean, (isOn: boolean) => void] => {
  const [isOn, setIsOn] = useState(false);
  useEffect(() => {
    if (!isOn) return undefined;
    let last: readonly [number, number] = [0, 0];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onMove = ({ clientX, clientY }: PointerEvent): void => {
      last = [clientX, clientY];
      timer ??= setTimeout(() => {
        timer = undefined;
        point(pointAt(...last));
      }, TELL_MS);
    };
    const onKey = ({ key }: KeyboardEvent): void => {
      if (key === 'Escape') setIsOn(false);
    };
    document.documentElement.dataset['pointing'] = '';
    window.addEventListener('pointermove', onMove);
    window.addEventListener('keydown', onKey);
    return () => {
      delete document.documentElement.dataset['pointing'];
      window.removeEventListener('pointermove', onMove);
      window.removeEventListener('keydown', onKey);
      clearTimeout(timer);
      point(null);
    };
  }, [isOn]);
  return [isOn, setIsOn];
};
