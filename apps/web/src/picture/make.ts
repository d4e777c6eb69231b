/** The stage as a file that one can open; or a sentence that says why not. */
import { pictureWords } from '../messages/picture-words.ts';
import type { Run } from '../trace/trace-store.ts';
import { pictureOfStage } from './frame.ts';
import { pngOf } from './png.ts';
import { svgOf } from './svg.ts';

export const makePicture = async (run: Run, kind: 'png' | 'svg'): Promise<Blob | string> => {
  try {
    const picture = pictureOfStage(run);
    if (!picture) return pictureWords().noStage;
    if (kind === 'png') return await pngOf(picture);
    return new Blob([svgOf(picture)], { type: 'image/svg+xml' });
  } catch (error) {
    return pictureWords().failed(error instanceof Error ? error.message : String(error));
  }
};
