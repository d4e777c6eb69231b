import { describe, expect, test } from 'vitest';
import { linkBytes } from './byte-links.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('links from fields to bytes', () => {
  test('find the values of a JSON body behind its head', () => {
    const body = { Image: 'busybox', HostConfig: { Memory: 33554432 } };
    const bytes = utf8(`POST / HTTP/1.1\r\n\r\n${JSON.stringify(body)}`);

    const links = linkBytes(body, bytes).map(({ path, start, end }) => [
      path,
      new TextDecoder().decode(bytes.slice(start, end)),
    ]);

    expect(links).toEqual([
      ['Image', 'busybox'],
      ['HostConfig.Memory', '33554432'],
    ]);
  });

  test('give equal values their own places, in order', () => {
    const links = linkBytes({ a: 'same', b: 'same' }, utf8('same..same'));

    expect(links.map(({ start }) => start)).toEqual([0, 6]);
  });

  test('count bytes, not characters', () => {
    expect(linkBytes({ a: 'über', b: 'end' }, utf8('über end'))).toEqual([
      { path: 'a', start: 0, end: 5 },
      { path: 'b', start: 6, end: 9 },
    ]);
  });

  test('leave out what is not in the bytes', () => {
    expect(linkBytes({ a: 'absent', b: null, c: true }, utf8('nothing'))).toEqual([]);
  });
});
