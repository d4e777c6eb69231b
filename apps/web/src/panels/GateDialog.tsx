/** Live breakpoints: at which places the next request is held. */
import '../styles/gates.css';
import { useEffect, useRef } from 'react';
import { DAEMON_GATES } from '@engine-room/engine/protocol/trace/gate.ts';
import { labelOf } from '../model/actors.ts';
import { useReader } from '../hooks.ts';
import { readerStore } from '../reader-store.ts';

const close = (): void => readerStore.setState({ isGatesOpen: false });

/** Steps of runc's plan that are worth stopping at; any other can be asked for over the lab's API. */
const STEP_GATES = [
  { gate: 'runc/clone3', actor: 'runc', words: 'cgroup made, no process yet' },
  {
    gate: 'init/pivot_root',
    actor: 'container',
    words: 'mounts made, the root is still the old one',
  },
  { gate: 'init/execve', actor: 'container', words: 'everything built, not yet the program' },
] as const;

const GATES = [
  ...Object.entries(DAEMON_GATES).map(([gate, { actor, words }]) => ({ gate, actor, words })),
  ...STEP_GATES,
];

const toggle = (gate: string, isOn: boolean): void =>
  readerStore.setState(({ gates }) => ({
    gates: isOn ? [...gates, gate] : gates.filter((each) => each !== gate),
  }));

export const GateDialog = () => {
  const isOpen = useReader((state) => state.isGatesOpen);
  const gates = useReader((state) => state.gates);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} className="gates" aria-labelledby="gates-title" onClose={close}>
      {isOpen && (
        <>
          <h2 id="gates-title">Hold the next request</h2>
          <p className="muted">
            A gate is a breakpoint in the real system: what comes to it waits, can be looked at, and
            goes on when you say so, or after two minutes.
          </p>
          <fieldset>
            <legend className="sr-only">Gates</legend>
            {GATES.map(({ gate, actor, words }) => (
              <label key={gate}>
                <input
                  type="checkbox"
                  checked={gates.includes(gate)}
                  onChange={({ target }) => toggle(gate, target.checked)}
                />
                <span>
                  <b>{labelOf(actor)}</b>: {words} <span className="mono muted">{gate}</span>
                </span>
              </label>
            ))}
          </fieldset>
          <p className="break-buttons">
            <button type="button" className="primary" onClick={close}>
              Done
            </button>
          </p>
        </>
      )}
    </dialog>
  );
};
