import type { StageLayout } from './layout.ts';

/** The failure domains: what dies together lies in one lane. */
export const Lanes = ({ layout }: { layout: StageLayout }) => (
  <div className="stage-lanes">
    {layout.lanes.map(({ domain, label, y, width, height }) => (
      <div
        key={domain}
        className="stage-lane"
        data-domain={domain}
        style={{ top: y, width, height }}
      >
        <span>{label}</span>
      </div>
    ))}
  </div>
);
