/**
 * The images that come with Engine Room, built at set-up and given to the engine as `docker load` would.
 * An image of somebody else's under the same name is left alone; an older one of ours is replaced.
 */
import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { messageOf } from '../protocol/errdefs.ts';
import { engineRoot } from './paths.ts';
import type { EngineClient } from './runs/engine-client.ts';

const VENDOR_LABEL = 'org.opencontainers.image.vendor';
const VENDOR = 'Engine Room';
/** `scripts/build-images.mjs` writes it beside the archive. An engine calls an image by its manifest or its config. */
const builtImage = z.object({ reference: z.string(), ids: z.array(z.string()) });

const readBuilt = (folder: string) => {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => ({
        ...builtImage.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))),
        archive: join(folder, name.replace(/json$/, 'tar')),
      }));
  } catch {
    return [];
  }
};

/** Problems are told, not thrown: without these images everything else works. */
export const loadEmbeddedImages = async (
  engine: EngineClient,
  folder = join(engineRoot(), 'dist', 'images'),
): Promise<void> => {
  for (const { reference, ids, archive } of readBuilt(folder)) {
    try {
      const present = await engine.image(reference);
      const isOurs = present === null || present.labels[VENDOR_LABEL] === VENDOR;
      if (!isOurs || (present !== null && ids.includes(present.id))) continue;
      await engine.load(createReadStream(archive));
    } catch (error) {
      console.error(`lab: the image ${reference} could not be loaded: ${messageOf(error)}`);
    }
  }
};
