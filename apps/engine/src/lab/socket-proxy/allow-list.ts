/**
 * What passes the proxy: requests that read, and whose answers hold no secrets. Everything else is refused, so that a
 * route that comes with a later version is refused too. `docker inspect` is not on the list: it shows environments.
 */
const ALLOWED: readonly { readonly methods: readonly string[]; readonly path: string }[] = [
  { methods: ['GET', 'HEAD'], path: '/_ping' },
  { methods: ['GET'], path: '/version' },
  { methods: ['GET'], path: '/containers/json' },
  { methods: ['GET'], path: '/images/json' },
];
const VERSION = /^\/v1\.\d{1,3}(?=\/)/;

/** `url` as it stands in the request line. It is compared as it is: whatever has to be decoded first is refused. */
export const isAllowed = (method: string, url: string): boolean => {
  const path = (url.split('?', 1)[0] ?? '').replace(VERSION, '');
  return ALLOWED.some((each) => each.path === path && each.methods.includes(method));
};
