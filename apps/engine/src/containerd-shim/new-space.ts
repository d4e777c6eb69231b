/**
 * V8's space for new objects. It is large enough for the whole life of a short container, so that nothing is collected
 * while somebody waits for one. The sizes: bin/containerd-shim-engineroom-v2.
 */

/**
 * Twice: each time V8 goes on in the other half and leaves one behind, so both halves are, in the end, as if they had
 * never been used, and it goes on in the same one as after the last call.
 */
export const emptyNewSpace = (): void => {
  globalThis.gc?.({ type: 'minor' });
  globalThis.gc?.({ type: 'minor' });
};
