import { expect, test } from 'vitest';
import { formatDeepLink, parseDeepLink } from './deep-link.ts';

const RUN = 'c'.repeat(32);

test('a place in a run survives the way through an address', () => {
  for (const level of ['chapter', 'step', 'detail'] as const) {
    const place = { traceId: RUN, step: 17, level };
    expect(parseDeepLink(formatDeepLink(place))).toEqual(place);
  }
});

test('it may stand beside the token, and tells nothing of it', () => {
  expect(parseDeepLink(`#token=secret&run=${RUN}&step=3`)).toEqual({
    traceId: RUN,
    step: 3,
    level: 'step',
  });
  expect(formatDeepLink({ traceId: RUN, step: 3, level: 'step' })).not.toContain('token');
});

test('what is no place is none', () => {
  expect(parseDeepLink('#token=secret')).toBeNull();
  expect(parseDeepLink('#run=../../etc')).toBeNull();
  expect(parseDeepLink(`#run=${RUN}&step=-1&level=x`)).toMatchObject({ step: 0, level: 'step' });
});
