/**
 * A part of the page that fails to load: each container that gets or loses a cable changes the machine's networks, and
 * Chromium then drops what it is loading (ERR_NETWORK_CHANGED). A browser remembers a module that failed for as long as
 * the page lives, so the whole page is loaded anew; `index.html` does the same before there is a page.
 */
const KEY = 'engine-room.loads';
const LIMIT = 5;
/** Who has lived so long, has everything that a first load brings. */
const SETTLED_MS = 10_000;

export const again = async <Loaded>(load: () => Promise<Loaded>): Promise<Loaded> => {
  try {
    return await load();
  } catch (error) {
    const tries = Number(sessionStorage.getItem(KEY));
    if (tries >= LIMIT) throw error;
    sessionStorage.setItem(KEY, String(tries + 1));
    await served();
    location.reload();
    return new Promise(() => undefined);
  }
};

const RETRY_MS = 500;

/** While nobody serves the page, what is there of it is worth more than the browser's error in its place. */
const served = async (): Promise<void> => {
  for (;;) {
    try {
      await fetch(location.pathname, { method: 'HEAD', cache: 'no-store' });
      return;
    } catch {
      await new Promise((resolve) => {
        setTimeout(resolve, RETRY_MS);
      });
    }
  }
};

/** The next failure is a new one. */
export const settleLoads = (): void => {
  setTimeout(() => {
    try {
      sessionStorage.removeItem(KEY);
    } catch {
      // Storage may be forbidden; then nothing was counted.
    }
  }, SETTLED_MS);
};
