/** What an audience does not get, on any way that there is. */
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aSpanEvent, aSpanStarted, TRACE } from '../testing/events.ts';
import { at, OTHER, RoomLab, TOKEN } from '../testing/room-lab.ts';
import { DeskScreen } from '../testing/room-screens.ts';

let lab: RoomLab;

beforeEach(async () => {
  lab = await RoomLab.start();
});

afterEach(async () => {
  await lab.end();
});

describe('what an audience does not get', () => {
  test('the door for it has rooms and nothing else, also for who has the token', async () => {
    const opened = await lab.openRoom();
    const home = await fetch(`${lab.outside}/`, { redirect: 'manual' });
    expect([home.status, home.headers.get('location')]).toEqual([302, '/room']);
    for (const path of ['/engine', '/traces', `/traces/${TRACE}`, '/rooms', '/gates'])
      expect((await lab.ask(path, {}, lab.outside)).status, path).toBe(404);
    for (const path of ['/run', '/faults', '/checks', '/rooms'])
      expect((await lab.ask(path, { method: 'POST', body: '{}' }, lab.outside)).status, path).toBe(
        404,
      );
    const status = async (path: string, at: string, token: string) => {
      const response = await fetch(`${at}${path}`, {
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Protocol': `engine-room.v1, token.${token}`,
        },
      }).catch(() => null);
      return response?.status ?? 0;
    };
    expect(await status('/api/stream', lab.outside, TOKEN)).not.toBe(101);
    await expect(DeskScreen.open(lab.outside, opened.code, TOKEN)).rejects.toThrow('404');
    await expect(DeskScreen.open(lab.base, opened.code, 'wrong')).rejects.toThrow('401');
    await expect(DeskScreen.open(lab.base, 'no-such', TOKEN)).rejects.toThrow('404');
  });

  test('a run that the presenter has not shown stays with its learner', async () => {
    const opened = await lab.openRoom();
    lab.store.accept(aSpanStarted({ id: 'shown' }));
    lab.store.accept(aSpanStarted({ id: 'private', traceId: OTHER }));
    const desk = await lab.presenter(opened);
    const screen = await lab.follower(opened.code);
    desk.say({ type: 'drive', driver: opened.driver, playhead: at(TRACE), lesson: null });
    await screen.until(() => expect(screen.events).toEqual(['shown']));
    // It asks for the other by name, on every way that there is.
    screen.say({ type: 'resume', have: { [OTHER]: 0 } });
    lab.store.accept(aSpanEvent({ id: 'shown too' }));
    lab.store.accept(aSpanEvent({ id: 'private too', traceId: OTHER }));
    await screen.until(() => expect(screen.events).toContain('shown too'));
    expect((await fetch(`${lab.outside}/api/rooms/${opened.code}/traces/${OTHER}`)).status).toBe(
      404,
    );
    expect(JSON.stringify(screen.frames)).not.toContain(OTHER);
  });

  test('no secret is in anything that it is sent', async () => {
    const opened = await lab.openRoom();
    lab.store.accept(aSpanStarted({ id: 'first' }));
    const desk = await lab.presenter(opened);
    const screen = await lab.follower(opened.code);
    desk.say({ type: 'drive', driver: opened.driver, playhead: at(TRACE), lesson: null });
    await screen.until(() => expect(screen.events).toEqual(['first']));
    const told = JSON.stringify(screen.frames);
    for (const secret of [TOKEN, opened.driver, opened.clicker, '/secret/docker.sock'])
      expect(told).not.toContain(secret);
  });

  test('guessing a code is slow, and a wrong one is nobody’s room', async () => {
    await lab.openRoom();
    const guess = (code: string) =>
      fetch(`${lab.outside}/api/rooms/${code}`).then(({ status }) => status);
    const guesses = await Promise.all(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((x) => guess(`aa${x}-bb`)),
    );
    expect(guesses.filter((status) => status === 404)).toHaveLength(4);
    expect(guesses.filter((status) => status === 429)).toHaveLength(2);
    expect(await guess('..%2f..-x')).toBe(404);
  });

  test.each([
    ['not JSON', 1007],
    [Buffer.from([0, 1, 2]), 1007],
    ['{"type":"drive"}', 1008],
    ['{"type":"join","as":"presenter"}', 1008],
    ['{"type":"answer","poll":"../q","say":"x"}', 1008],
    ['{"type":"ask","offer":-1}', 1008],
    ['{"type":"ask","offer":1e99}', 1008],
    ['{"type":"click","clicker":"x","direction":7}', 1008],
    ['x'.repeat(5_000), 1009],
  ])('rubbish (%j) closes the line of who says it, and nobody else’s', async (rubbish, code) => {
    const opened = await lab.openRoom();
    const desk = await lab.presenter(opened);
    const good = await lab.follower(opened.code);
    const bad = await lab.follower(opened.code);
    const closed = once(bad.socket, 'close');
    bad.socket.send(rubbish);
    expect((await closed)[0]).toBe(code);
    desk.say({
      type: 'drive',
      driver: opened.driver,
      playhead: at(null, { step: 7 }),
      lesson: null,
    });
    await good.until(() => expect(good.room?.playhead.step).toBe(7));
  });

  test('a line that talks without end is closed', async () => {
    const opened = await lab.openRoom();
    const flood = await lab.follower(opened.code);
    const closed = once(flood.socket, 'close');
    for (let n = 0; n < 400; n += 1) flood.say({ type: 'at', isAway: true, screen: n });
    expect((await closed)[0]).toBe(1008);
  });

  test('when the presenter ends it, everybody is told and the code is worth nothing', async () => {
    const opened = await lab.openRoom();
    const desk = await lab.presenter(opened);
    const screen = await lab.follower(opened.code);
    desk.say({ type: 'end', driver: opened.driver });
    await screen.until(() => expect(screen.socket.readyState).toBe(screen.socket.CLOSED));
    expect(screen.room?.isOver).toBe(true);
    expect((await fetch(`${lab.outside}/api/rooms/${opened.code}`)).status).toBe(404);
  });
});
