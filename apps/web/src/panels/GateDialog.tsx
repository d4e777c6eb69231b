/** Live breakpoints: at which places the next request is held. */
import type { Actor } from '@engine-room/engine/protocol/trace/event.ts';
import { DAEMON_GATES } from '@engine-room/engine/protocol/trace/gate.ts';
import { t } from '../messages/catalogue.ts';
import type { Messages } from '../messages/messages.ts';
import { labelOf } from '../model/actors.ts';
import { useReader } from '../hooks.ts';
import { closeDialog, readerStore } from '../reader-store.ts';
import { Dialog } from './Dialog.tsx';

const close = (): void => closeDialog('gates');

/** Besides those of the daemons the steps of runc's plan that are worth stopping at; any other goes over the lab's API. */
const GATES: readonly { readonly gate: keyof Messages['atGate']; readonly actor: Actor }[] = [
  { gate: 'request-accepted', actor: DAEMON_GATES['request-accepted'].actor },
  { gate: 'shim-listening', actor: DAEMON_GATES['shim-listening'].actor },
  { gate: 'rootfs-mounted', actor: DAEMON_GATES['rootfs-mounted'].actor },
  { gate: 'created-not-started', actor: DAEMON_GATES['created-not-started'].actor },
  { gate: 'exited-not-reaped', actor: DAEMON_GATES['exited-not-reaped'].actor },
  { gate: 'runc/clone3', actor: 'runc' },
  { gate: 'init/pivot_root', actor: 'container' },
  { gate: 'init/execve', actor: 'container' },
];

const toggle = (gate: string, isOn: boolean): void =>
  readerStore.setState(({ gates }) => ({
    gates: isOn ? [...gates, gate] : gates.filter((each) => each !== gate),
  }));

export const GateDialog = () => {
  const gates = useReader((state) => state.gates);
  return (
    <Dialog name="gates" title={t().gates.title}>
      <p className="muted">{t().gates.words}</p>
      <fieldset>
        <legend className="sr-only">{t().gates.group}</legend>
        {GATES.map(({ gate, actor }) => (
          <label key={gate}>
            <input
              type="checkbox"
              checked={gates.includes(gate)}
              onChange={({ target }) => toggle(gate, target.checked)}
            />
            <span>
              <b>{labelOf(actor)}</b>: {t().atGate[gate]} <span className="mono muted">{gate}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <p className="dialog-buttons">
        <button type="button" className="primary" onClick={close}>
          {t().gates.done}
        </button>
      </p>
    </Dialog>
  );
};
