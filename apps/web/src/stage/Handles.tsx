/** React Flow wants to know where roads may end; ours know it themselves. */
import { Handle, Position } from 'reactflow';

export const Handles = () => (
  <>
    {(['target', 'source'] as const).map((type) => (
      <Handle
        key={type}
        type={type}
        position={type === 'target' ? Position.Top : Position.Bottom}
        isConnectable={false}
        aria-hidden="true"
        tabIndex={-1}
      />
    ))}
  </>
);
