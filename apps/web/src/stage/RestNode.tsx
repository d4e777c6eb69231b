/** The containers that found no room for a column: how many. The list of containers has them all. */
import type { NodeProps } from 'reactflow';
import { t } from '../messages/catalogue.ts';
import { Handles } from './Handles.tsx';

export const RestNode = ({ data }: NodeProps & { data: { readonly count: number } }) => (
  <>
    <Handles />
    <p className="column-rest">
      <b>+{data.count}</b> {t().containers.rest}
    </p>
  </>
);
