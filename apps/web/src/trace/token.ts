/**
 * The token that opens the lab. It comes in the URL's fragment, which browsers send to nobody, and leaves the address
 * bar at once: it is kept in memory, and for this tab's reloads in sessionStorage.
 */
const KEY = 'engine-room.token';
const WORD = /^[A-Za-z0-9._~-]{1,256}$/;

export const takeToken = (): string | null => {
  const fragment = location.hash.slice(1);
  const given =
    new URLSearchParams(fragment).get('token') ?? (WORD.test(fragment) ? fragment : null);
  if (given && WORD.test(given)) {
    const rest = new URLSearchParams(given === fragment ? '' : fragment);
    rest.delete('token');
    const kept = rest.size > 0 ? `#${rest}` : '';
    history.replaceState(null, '', location.pathname + location.search + kept);
    remember(given);
    return given;
  }
  return recall();
};

function remember(token: string): void {
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // Storage may be forbidden; then the token lives as long as the page.
  }
}

function recall(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}
