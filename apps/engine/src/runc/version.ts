/** What `runc --version` and `runc features` say of this runtime. */
export const VERSION = '0.1.0+engine-room';
/** Of the OCI runtime specification. */
export const SPEC_VERSION = '1.0.2';
