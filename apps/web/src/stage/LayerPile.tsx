/** The image's layers beside the daemons: how they come, are verified, unpacked, and piled up to one tree. */
import type { NodeProps } from 'reactflow';
import { t } from '../messages/catalogue.ts';
import { layerRows, type LayerRow } from '../model/layer-pile.ts';
import type { Machine } from '../model/machine.ts';
import { sizeWords } from '../model/time-words.ts';
import { useMachine } from '../hooks.ts';
import { Handles } from './Handles.tsx';

/** The room that one line takes, as in layers.css. */
const ROW = 19;
const HIGH_ROW = 30;

export const LayersNode = ({ height = 0 }: NodeProps) => {
  const machine = useMachine();
  const row = height > 140 ? HIGH_ROW : ROW;
  return (
    <>
      <Handles />
      <div className="layer-place">
        <LayerList machine={machine} most={Math.max(2, Math.floor((height - 6) / row))} />
      </div>
    </>
  );
};

/** Where there is no room for all, the uppermost are shown, and of the others how many there are. */
export const LayerList = ({ machine, most }: { machine: Machine; most: number }) => {
  const { merged } = machine.layers;
  const rows = layerRows(machine.layers);
  if (rows.length === 0) return null;
  const room = merged === null ? most : most - 1;
  const shown = rows.length > room ? rows.slice(0, Math.max(1, room - 1)) : rows;
  const rest = rows.slice(shown.length);
  return (
    <ol className="layer-pile" data-domain="daemons" aria-label={t().layerPile.title}>
      {merged !== null && (
        <li data-state="merged">
          <span className="layer-state">{t().layerPile.merged}</span>
          <span className="layer-name mono">{shortPath(merged)}</span>
        </li>
      )}
      {shown.map((row) => (
        <Row key={row.key} row={row} />
      ))}
      {rest.length > 0 && <Rest rows={rest} />}
    </ol>
  );
};

const Row = ({ row: { state, snapshot, blob, bytes, arrived } }: { row: LayerRow }) => {
  const { layerPile: words } = t();
  const isPart = state === 'arriving' && arrived < bytes;
  return (
    <li data-state={state}>
      <span className="layer-state">{words.states[state]}</span>
      <span className="layer-name mono">{snapshot ?? blob?.slice(0, 6)}</span>
      {isPart && (
        <span
          className="layer-bar"
          aria-hidden="true"
          style={{ transform: `scaleX(${bytes > 0 ? arrived / bytes : 0})` }}
        />
      )}
      {blob !== null && (
        <span className="layer-facts mono">
          {snapshot !== null && `${blob.slice(0, 6)} `}
          {isPart ? partWords(arrived, bytes) : sizeWords(bytes)}
        </span>
      )}
    </li>
  );
};

/** Lower folders fit into one line by their numbers. */
const Rest = ({ rows }: { rows: readonly LayerRow[] }) => {
  const areFolders = rows.every(({ state }) => state === 'lower');
  return (
    <li data-state={areFolders ? 'lower' : 'rest'}>
      {areFolders && <span className="layer-state">{t().layerPile.states.lower}</span>}
      <span className="layer-name mono">
        {areFolders ? rows.map(({ snapshot }) => snapshot).join(', ') : `+${rows.length}`}
      </span>
    </li>
  );
};

/** `2.91 / 5.72 MiB`: the unit once, where it is the same. */
const partWords = (some: number, all: number): string => {
  const [whole, [count, unit]] = [sizeWords(all), sizeWords(some).split(' ')] as const;
  if (some === 0) return `0 / ${whole}`;
  return whole.endsWith(` ${unit}`) ? `${count} / ${whole}` : `${count} ${unit} / ${whole}`;
};

/** `/run/…/moby/3f9c…/rootfs` → `…/rootfs`: the tree that the container will call `/`. */
const shortPath = (path: string): string => `…${path.slice(path.lastIndexOf('/'))}`;
