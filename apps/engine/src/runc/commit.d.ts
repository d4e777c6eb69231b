/** The revision that the build was made of (scripts/build-engine.mjs); absent where nothing was bundled. */
declare const __COMMIT__: string | undefined;
