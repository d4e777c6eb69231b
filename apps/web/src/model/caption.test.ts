import { describe, expect, test } from 'vitest';
import { aRun } from './a-run.fixture.ts';
import { captionOf, LONGEST_CAPTION } from './caption.ts';
import { RunModel } from './run-model.ts';

const model = new RunModel();
model.add(aRun());
const sentences = model.order.placed.map(({ event }) => captionOf(event, model));

describe('captions', () => {
  test('each is one short sentence', () => {
    for (const sentence of sentences) {
      expect(sentence.length).toBeLessThanOrEqual(LONGEST_CAPTION);
      expect(sentence).toMatch(/[.…”]$/);
      expect(sentence).not.toMatch(/undefined|null|NaN|\[object/);
    }
  });

  test.each([
    'The docker CLI asks dockerd to create a container from busybox.',
    'dockerd asks containerd to create the task over gRPC.',
    'containerd asks the shim to create the task over ttrpc.',
    'containerd claims a waiting process as the shim: pid 4188.',
    'The container writes 6 bytes to stdout: “hello”',
    'The container (pid 4211) exits with code 0.',
    'Pid 4211 gets a new parent: pid 4188.',
    'Init calls pivot_root: the image becomes the root.',
    'The shim tells containerd: /tasks/exit.',
    'dockerd answers the docker CLI: 201 Created.',
    'Pid 4211 becomes “echo hello”',
  ])('says: %s', (sentence) => {
    expect(sentences).toContain(sentence);
  });
});
