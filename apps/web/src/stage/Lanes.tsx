import { t } from '../messages/catalogue.ts';
import type { StageLayout } from './layout.ts';

/** The failure domains: what dies together lies in one lane. The names lie above the roads that cross them. */
export const Lanes = ({ layout }: { layout: StageLayout }) => (
  <>
    <div className="stage-lanes">
      {layout.lanes.map(({ domain, y, width, height }) => (
        <div key={domain} className="stage-lane" style={{ top: y, width, height }} />
      ))}
    </div>
    <div className="stage-lane-names">
      {layout.lanes.map(({ domain, y }) => (
        <span key={domain} data-domain={domain} style={{ top: y }}>
          {t().stage[domain]}
        </span>
      ))}
    </div>
  </>
);
