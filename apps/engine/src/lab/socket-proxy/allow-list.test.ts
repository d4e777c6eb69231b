import { expect, test } from 'vitest';
import { isAllowed } from './allow-list.ts';

test.each([
  ['HEAD', '/_ping'],
  ['GET', '/_ping'],
  ['GET', '/v1.41/containers/json?all=1'],
  ['GET', '/containers/json'],
  ['GET', '/v1.50/images/json'],
  ['GET', '/version'],
])('%s %s passes', (method, url) => expect(isAllowed(method, url)).toBe(true));

test.each([
  ['POST', '/containers/create'],
  ['POST', '/containers/json'],
  ['DELETE', '/v1.41/containers/x'],
  ['GET', '/containers/x/json'],
  ['GET', '/v1.41/v1.41/containers/json'],
  ['GET', '/containers/json/../x/json'],
  ['GET', '/containers/%6ason'],
  ['GET', '//containers/json'],
  ['GET', '/containers/json/'],
  ['GET', '/containers/json#x'],
  ['GET', '/containers/x/attach/ws?x=/containers/json'],
  ['GET', 'http://docker/containers/json'],
  ['get', '/containers/json'],
  ['GET', '*'],
  ['GET', ''],
])('%s %s is refused', (method, url) => expect(isAllowed(method, url)).toBe(false));
