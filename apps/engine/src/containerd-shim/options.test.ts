import { describe, expect, it } from 'vitest';
import { checkIdentifier, parseOptions } from './options.ts';

describe('parseOptions', () => {
  it('reads what containerd writes', () => {
    const argv =
      '-namespace moby -address /c.sock -publish-binary /usr/bin/containerd -id c1 -debug start'.split(
        ' ',
      );
    expect(parseOptions(argv)).toMatchObject({
      namespace: 'moby',
      address: '/c.sock',
      publishBinary: '/usr/bin/containerd',
      id: 'c1',
      debug: true,
      action: 'start',
      operands: [],
    });
    expect(parseOptions(['--id=c1', '-bundle=/b', 'delete'])).toMatchObject({
      id: 'c1',
      bundle: '/b',
      action: 'delete',
    });
    expect(parseOptions(['-address', '/c.sock', 'spare', '/claim.sock'])).toMatchObject({
      action: 'spare',
      operands: ['/claim.sock'],
    });
    expect(parseOptions(['-v'])).toMatchObject({ version: true, action: '' });
  });

  it('refuses flags that it does not know', () => {
    expect(() => parseOptions(['-nonsense', 'start'])).toThrow(
      'flag provided but not defined: -nonsense',
    );
    expect(() => parseOptions(['-id'])).toThrow('flag needs an argument: -id');
  });
});

describe('checkIdentifier', () => {
  it('lets nothing through that could leave a directory', () => {
    for (const bad of ['', '..', 'a/b', '../a', 'a b', '-a', 'a.', 'ü', 'a\n', 'x'.repeat(77)]) {
      expect(() => checkIdentifier('identifier', bad), bad).toThrow('identifier');
    }
    checkIdentifier('identifier', 'f'.repeat(64));
    checkIdentifier('identifier', 'my_container-1.2');
  });
});
