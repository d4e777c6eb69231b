/** Who is asked for an image: the mirrors of Docker Hub first, then the registry itself. Upstream: moby daemon/registry. */
import { NOBODY, parseRegistryAuth } from '../distribution/credentials.ts';
import { endpointsOf, mirrorsOf } from '../distribution/endpoint.ts';
import { Registry } from '../distribution/registry.ts';
import type { Daemon } from './daemon.ts';

const RETRY_DELAY_MS = 500;

/** What mirrors say of a failure does not matter as long as somebody has it. */
export type FromAny = <T>(work: (registry: Registry) => Promise<T>) => Promise<T>;

/** `repository` with its host, as in `docker.io/library/busybox`; `auth` is `X-Registry-Auth` as it came. */
export const registriesOf = async (
  daemon: Daemon,
  repository: string,
  { auth, signal }: { readonly auth: string | undefined; readonly signal: AbortSignal },
): Promise<FromAny> => {
  const slash = repository.indexOf('/');
  const host = repository.slice(0, slash);
  const asked = {
    repository: repository.slice(slash + 1),
    signal: AbortSignal.any([signal, daemon.signal]),
    retryDelayMs: RETRY_DELAY_MS,
  };
  const { registries } = daemon.options;
  const mirrors = (await mirrorsOf(host, registries)).map(
    // A mirror is somebody else: Docker Hub's password is not for it.
    (mirror) => new Registry({ ...asked, endpoints: [mirror], credentials: NOBODY }),
  );
  const origin = new Registry({
    ...asked,
    endpoints: await endpointsOf(host, registries),
    credentials: parseRegistryAuth(auth),
  });
  return async (work) => {
    for (const mirror of mirrors) {
      try {
        return await work(mirror);
      } catch {
        asked.signal.throwIfAborted();
      }
    }
    return work(origin);
  };
};
