/** The way into presenting, which is loaded when it is wanted. */
import { isRoomKept } from './present-store.ts';

export const present = async (): Promise<void> => (await import('./present.ts')).startPresenting();

/** After a reload of the tab that presents. */
export const resumeRoom = (): void => {
  if (isRoomKept()) void import('./present.ts').then(({ resumePresenting }) => resumePresenting());
};
