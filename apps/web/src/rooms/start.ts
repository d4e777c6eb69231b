/** The way into presenting, which is loaded when it is wanted. */
import { isRoomKept } from './present-store.ts';

export const present = async (): Promise<void> => (await import('./present.ts')).startPresenting();

/** After a reload of the tab that presents; or the address is a presenter's invitation. */
export const resumeRoom = (): void => {
  const invited = new URLSearchParams(location.search).get('desk');
  if (isRoomKept()) void import('./present.ts').then(({ resumePresenting }) => resumePresenting());
  else if (invited !== null) void import('./present.ts').then(({ goOnIn }) => goOnIn(invited));
};
