/** What `runc --version` and `runc features` say of this runtime. */
export const VERSION = '0.1.0+engine-room';
/** The revision of the sources that the bundle was made of; the build writes it in. */
export const COMMIT = typeof __COMMIT__ === 'string' ? __COMMIT__ : 'unknown';
/** Of the OCI runtime specification. */
export const SPEC_VERSION = '1.0.2';
