/**
 * What each blob needs, said in labels for containerd's garbage collector.
 * Reference: https://github.com/containerd/containerd/blob/main/docs/garbage-collection.md
 */
import * as z from 'zod';
import { chainIds } from './image-store.ts';

export const contentLabels = (
  needed: readonly { readonly digest: string }[],
): Record<string, string> =>
  Object.fromEntries(
    needed.map(({ digest }, index) => [`containerd.io/gc.ref.content.${index}`, digest]),
  );

/** The configuration stands for the unpacked layers. */
export const snapshotLabel = (config: unknown, snapshotter: string): Record<string, string> => {
  const parsed = z
    .looseObject({ rootfs: z.object({ diff_ids: z.array(z.string()) }) })
    .safeParse(config);
  const chainId = parsed.success ? chainIds(parsed.data.rootfs.diff_ids).at(-1) : undefined;
  return chainId === undefined ? {} : { [`containerd.io/gc.ref.snapshot.${snapshotter}`]: chainId };
};
