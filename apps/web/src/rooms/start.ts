/** The way into presenting, which is loaded when it is wanted. */
import { again } from '../again.ts';
import { isRoomKept } from './present-store.ts';

const load = () => again(() => import('./present.ts'));

export const present = async (): Promise<void> => (await load()).startPresenting();

/** After a reload of the tab that presents; or the address is a presenter's invitation. */
export const resumeRoom = (): void => {
  const invited = new URLSearchParams(location.search).get('desk');
  if (isRoomKept()) void load().then(({ resumePresenting }) => resumePresenting());
  else if (invited !== null) void load().then(({ goOnIn }) => goOnIn(invited));
};
