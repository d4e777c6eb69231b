/**
 * Versions of the Docker Engine API. A path may carry one (`/v1.44/containers/json`), and the client picks
 * min(its own, the daemon's `Api-Version` header). Upstream: moby daemon/server/middleware/version.go.
 */

export const API_VERSION = '1.50';
export const MIN_API_VERSION = '1.24';

const VERSION = /^(\d{1,3})\.(\d{1,3})$/;

/** Negative, zero or positive, as `left` is older than, equal to or newer than `right`. */
export const compareVersions = (left: string, right: string): number => {
  const [, leftMajor = '0', leftMinor = '0'] = VERSION.exec(left) ?? [];
  const [, rightMajor = '0', rightMinor = '0'] = VERSION.exec(right) ?? [];
  return Number(leftMajor) - Number(rightMajor) || Number(leftMinor) - Number(rightMinor);
};

/** Why a client of this version is turned away, in Docker's words; null when it is welcome. */
export const versionRefusal = (version: string): string | null => {
  if (compareVersions(version, MIN_API_VERSION) < 0) {
    return `client version ${version} is too old. Minimum supported API version is ${MIN_API_VERSION}, please upgrade your client to a newer version`;
  }
  if (compareVersions(version, API_VERSION) > 0) {
    return `client version ${version} is too new. Maximum supported API version is ${API_VERSION}`;
  }
  return null;
};
