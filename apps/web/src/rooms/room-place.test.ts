import { expect, test } from 'vitest';
import { roomPlace } from './room-place.ts';

test.each([
  ['/room/amber-whale', '', { view: 'room', code: 'amber-whale', clicker: null }],
  ['/present/amber-whale', '', { view: 'present', code: 'amber-whale', clicker: null }],
  ['/room', '', { view: 'room', code: '', clicker: null }],
  ['/room/amber-whale', '#clicker=abc', { view: 'room', code: 'amber-whale', clicker: 'abc' }],
  ['/', '#run=1', null],
  ['/room/<script>', '', null],
  ['/rooms/amber-whale', '', null],
])('%s%s', (pathname, hash, place) => {
  expect(roomPlace({ pathname, hash })).toEqual(place);
});
