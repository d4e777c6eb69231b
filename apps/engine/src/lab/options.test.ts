import { describe, expect, test } from 'vitest';
import { parseOptions } from './options.ts';

const HOME = { HOME: '/home/me' };

describe('where a value comes from', () => {
  test('the standard for root', () => {
    expect(parseOptions([], {}, true)).toEqual({
      port: 7070,
      host: '127.0.0.1',
      dataRoot: '/var/lib/engine-room',
      execRoot: '/run/engine-room',
      dockerSocket: null,
      cgroupParent: '/engine-room',
      runtime: null,
      shim: null,
      auth: true,
      liveRestore: false,
      registryMirrors: [],
      open: true,
      faultPauseMs: 3000,
      maxRuns: 32,
      audience: null,
      audienceUrl: null,
      bus: null,
    });
  });

  test('a door for an audience and a broker', () => {
    const variables = {
      ENGINE_ROOM_AUDIENCE: '[::]:7080',
      ENGINE_ROOM_AUDIENCE_URL: 'https://class.example',
      ENGINE_ROOM_BUS: 'nats://broker:4222',
    };
    expect(parseOptions([], variables, true)).toMatchObject({
      audience: { host: '::', port: 7080 },
      audienceUrl: new URL('https://class.example'),
      bus: 'nats://broker:4222',
    });
    expect(parseOptions(['--audience', '0.0.0.0:80'], {}, true)).toMatchObject({
      audience: { host: '0.0.0.0', port: 80 },
    });
  });

  test('without root the folders are the user’s own', () => {
    expect(parseOptions([], { ...HOME, XDG_RUNTIME_DIR: '/run/user/1' }, false)).toMatchObject({
      dataRoot: '/home/me/.local/share/engine-room',
      execRoot: '/run/user/1/engine-room',
    });
  });

  test('a flag wins over its variable, and a variable over the standard', () => {
    const variables = {
      ENGINE_ROOM_PORT: '1',
      ENGINE_ROOM_HOST: '::1',
      ENGINE_ROOM_LIVE_RESTORE: '1',
      ENGINE_ROOM_NO_OPEN: '0',
      ENGINE_ROOM_MAX_RUNS: '3',
      ENGINE_ROOM_REGISTRY_MIRROR: 'https://one.example http://two.example',
    };

    expect(parseOptions(['--port', '2'], variables, true)).toMatchObject({
      port: 2,
      host: '::1',
      liveRestore: true,
      registryMirrors: ['https://one.example', 'http://two.example'],
      open: true,
      faultPauseMs: 3000,
      maxRuns: 3,
    });
  });

  test('help asks for nothing else', () => {
    expect(parseOptions(['--help'], {}, true)).toBeNull();
  });
});

describe('what is refused', () => {
  test.each([
    [['--port', 'x'], 'port must be'],
    [['--port', '70000'], 'port must be'],
    [['--data-root', 'relative'], 'data-root must be an absolute path'],
    [['--docker-socket', 'docker.sock'], 'docker-socket must be an absolute path'],
    [['--no-auth', '--host', '0.0.0.0'], 'everybody in the network'],
    [['--no-auth', '--host', '192.168.1.1'], 'everybody in the network'],
    [['--audience', '0.0.0.0'], 'ADDRESS:PORT'],
    [['--audience', '0.0.0.0:70000'], 'ADDRESS:PORT'],
    [['--audience-url', 'class.example'], 'without a path'],
    [['--audience-url', 'https://class.example/here'], 'without a path'],
    [['--bus', 'redis://broker'], 'NATS server'],
    [['--max-runs', '0'], 'max-runs must be'],
    [['--unknown'], '--help'],
    [['word'], '--help'],
  ])('%j', (argv, message) => {
    expect(() => parseOptions(argv, {}, true)).toThrow(message);
  });

  test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])(
    '--no-auth may be used on %s',
    (host) => {
      expect(parseOptions(['--no-auth', '--host', host], {}, true)).toMatchObject({ auth: false });
    },
  );
});
