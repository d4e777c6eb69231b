/** Everything that takes input from somebody we do not trust. SECURITY.md says who that is. */
import { ENGINE_API } from './engine-api.ts';
import { FRAMES } from './frames.ts';
import { IMAGES } from './images.ts';
import { LAB } from './lab.ts';
import { PAGE } from './page.ts';
import { RUNTIME } from './runtime.ts';
import { SERVERS } from './servers.ts';
import type { Target } from './target.ts';

export const TARGETS: readonly Target[] = [
  ...FRAMES,
  ...SERVERS,
  ...ENGINE_API,
  ...LAB,
  ...IMAGES,
  ...RUNTIME,
  ...PAGE,
];
