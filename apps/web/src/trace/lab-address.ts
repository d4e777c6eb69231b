/** How one comes to the lab: its address is that of the page, and the token opens it. */
const SUBPROTOCOL = 'engine-room.v1';

/** A browser cannot send headers with a WebSocket, so the token is offered as a subprotocol. */
export const connectTo = (path: string, token: string | null): WebSocket => {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(url, token ? [SUBPROTOCOL, `token.${token}`] : [SUBPROTOCOL]);
};

export const authorizedBy = (token: string | null): Record<string, string> =>
  token ? { Authorization: `Bearer ${token}` } : {};
