/** Replaced at build time (scripts/source-location.mjs) by the repository file and line where it stands. */
declare const __SOURCE__: string;
