/**
 * Names of images: `busybox` is short for `docker.io/library/busybox:latest`.
 * Upstream: github.com/distribution/reference.
 */
import { EngineError } from '../../protocol/errdefs.ts';

const DEFAULT_DOMAIN = 'docker.io';
const OFFICIAL = 'library/';
/** Go's expressions take linear time whatever they say; here, no text may match in more than one way. */
const DOMAIN =
  /^[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*(?:\.[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*)*(?::\d+)?$|^\[[0-9a-fA-F:]+\](?::\d+)?$/;
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

export interface Reference {
  /** `docker.io/library/busybox`. */
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

const invalid = (reason = ''): EngineError =>
  new EngineError('invalid_argument', `invalid reference format${reason}`);

const splitDomain = (name: string): [domain: string, path: string] => {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isDomain =
    slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  if (isDomain) return [first, name.slice(slash + 1)];
  return [DEFAULT_DOMAIN, name.includes('/') ? name : `${OFFICIAL}${name}`];
};

export const parseReference = (text: string): Reference => {
  const at = text.indexOf('@');
  const digest = at < 0 ? null : text.slice(at + 1);
  let name = at < 0 ? text : text.slice(0, at);
  // A colon behind the last slash begins a tag; before it, a port.
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  const tag = colon < 0 ? null : name.slice(colon + 1);
  if (colon >= 0) name = name.slice(0, colon);
  if (
    name === '' ||
    (tag !== null && !TAG.test(tag)) ||
    (digest !== null && !DIGEST.test(digest))
  ) {
    throw invalid();
  }
  const [domain, path] = splitDomain(name);
  if (path.toLowerCase() !== path && PATH.test(path.toLowerCase())) {
    throw invalid(`: repository name (${path}) must be lowercase`);
  }
  if (!DOMAIN.test(domain) || !PATH.test(path) || name.length > 255) throw invalid();
  const full = domain === DEFAULT_DOMAIN && !path.includes('/') ? `${OFFICIAL}${path}` : path;
  return {
    repository: `${domain === 'index.docker.io' ? DEFAULT_DOMAIN : domain}/${full}`,
    tag: tag ?? (digest === null ? 'latest' : null),
    digest,
  };
};

/** The name that containerd keeps. */
export const canonicalName = ({ repository, tag, digest }: Reference): string =>
  `${repository}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`;

/** The name that people read: without what is understood. */
export const familiarName = (name: string): string =>
  name.replace(/^docker\.io\/library\/(?=[^/]+$)/, '').replace(/^docker\.io\//, '');
