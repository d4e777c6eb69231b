/** Where the presenter points: a dot over this screen's own stage. It is drawn without React, once for each word of the lab. */
import { useEffect, useRef } from 'react';
import { laserStore } from './laser-store.ts';
import { boxNamed } from './pointing.ts';
import './laser.css';

/** A pointer that rests says nothing; one that is gone was taken away, or its line was lost. */
const REST_MS = 4_000;

export const Laser = () => {
  const dot = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const hide = (): void => {
      if (dot.current) dot.current.hidden = true;
    };
    const stop = laserStore.subscribe(({ at }) => {
      clearTimeout(timer);
      const box = at && boxNamed(at.box);
      if (!at || !box || !dot.current) return hide();
      const { left, top, width, height } = box.getBoundingClientRect();
      dot.current.hidden = false;
      dot.current.style.transform = `translate(${left + at.x * width}px, ${top + at.y * height}px)`;
      timer = setTimeout(hide, REST_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);
  return <span ref={dot} className="laser" data-testid="laser" aria-hidden="true" hidden />;
};
