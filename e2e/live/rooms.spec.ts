/** A class: a laptop, a phone and a projector follow one presenter, who kills dockerd before their eyes. */
import type { Browser, BrowserContextOptions, Page } from '@playwright/test';
import { readLessons } from '../../scripts/lessons/read-lessons.ts';
import { LessonPage } from '../support/lesson.ts';
import { EngineRoomPage } from '../support/page.ts';
import { expect, FIRST_LOAD_MS, test } from './live-test.ts';

const LOOP = "sh -c 'trap exit TERM; while true; do date; sleep 1; done'";

/** Another device: it shares nothing with the presenter's browser, the token least of all. */
const open = async (
  browser: Browser,
  url: string,
  options: BrowserContextOptions,
): Promise<EngineRoomPage> => {
  const context = await browser.newContext(options);
  const screen = new EngineRoomPage(await context.newPage());
  await screen.page.goto(url);
  await expect(screen.caption).toBeVisible({ timeout: FIRST_LOAD_MS });
  return screen;
};

const caption = (page: Page) => page.getByTestId('caption-sentence');

/** Late events may still move the end of a run, on both screens. */
const sameCaption = (screen: Page, presenter: Page): Promise<void> =>
  expect
    .poll(async () => {
      const [here, there] = await Promise.all(
        [screen, presenter].map((page) => caption(page).innerText()),
      );
      return here === there ? 'the same' : `${here} / ${there}`;
    })
    .toBe('the same');

test('a laptop, a phone and a projector follow while dockerd is killed', async ({
  room,
  engine,
  docker,
  browser,
}) => {
  test.setTimeout(180_000);
  const { page } = room;
  const { origin, hash } = new URL(engine.url);
  await room.send(`docker run -d --name in-class busybox ${LOOP}`);
  await room.toTheEndOf('in-class');
  await page.getByRole('button', { name: 'Present', exact: true }).click();
  const desk = page.getByRole('region', { name: 'Presenter' });
  await expect(desk.locator('.room-code')).toHaveText(/^[a-z]+-[a-z]+$/);
  const code = await desk.locator('.room-code').innerText();

  const laptop = await open(browser, `${origin}/room/${code}`, {
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
  });
  const phone = await open(browser, `${origin}/room/${code}`, {
    viewport: { width: 390, height: 844 },
    reducedMotion: 'reduce',
    hasTouch: true,
  });
  const projector = await open(browser, `${origin}/present/${code}`, {
    viewport: { width: 1920, height: 1080 },
  });
  const screens = [laptop, phone, projector];
  await expect(desk.getByTestId('devices')).toHaveText('2 devices');

  // Where the presenter goes, everybody goes, in a theme and with a motion of their own.
  await page.locator('h1').click();
  await room.press('Home', 'PageDown', 'PageDown', 'PageDown');
  for (const screen of screens) await expect(screen.caption).toContainText('Step 3 of');
  await sameCaption(phone.page, page);

  // Where the presenter points, every stage shows a dot at the same actor, wherever that stands on it.
  await desk.getByRole('button', { name: 'Laser pointer' }).click();
  const box = (screen: Page) => screen.locator('.react-flow__node[data-id="containerd"]');
  await box(page).hover();
  for (const screen of [laptop.page, projector.page])
    await expect
      .poll(async () => {
        const [dot, actor] = await Promise.all([
          screen.getByTestId('laser').boundingBox(),
          box(screen).boundingBox(),
        ]);
        if (!dot || !actor) return 'no dot';
        const [x, y] = [dot.x + dot.width / 2 - actor.x, dot.y + dot.height / 2 - actor.y];
        return Math.abs(x / actor.width - 0.5) < 0.1 && Math.abs(y / actor.height - 0.5) < 0.1;
      })
      .toBe(true);
  await page.keyboard.press('Escape');
  await expect(projector.page.getByTestId('laser')).toBeHidden();

  // One breaks away, which the presenter sees, and comes back.
  await phone.page.getByRole('button', { name: 'Step on →' }).click();
  await expect(phone.caption).toContainText('Step 4 of');
  await expect(phone.page.getByRole('status').filter({ hasText: 'on your own' })).toBeVisible();
  await expect(desk).toContainText('1 is on a step of their own');
  await expect(laptop.caption).toContainText('Step 3 of');
  await phone.page.getByRole('button', { name: 'Rejoin' }).click();
  await expect(phone.caption).toContainText('Step 3 of');

  // The room predicts. Nobody sees who leads.
  await desk.getByRole('button', { name: 'Ask', exact: true }).click();
  await phone.page.getByRole('radio', { name: 'It goes on' }).check();
  await laptop.page.getByRole('radio', { name: 'It dies with dockerd' }).check();
  await expect(desk.getByTestId('answered')).toHaveText('2 of 2 have answered');
  await expect(desk.getByRole('listitem').filter({ hasText: 'It goes on' })).toContainText('50 %');
  await expect(projector.page.getByRole('region', { name: 'Question to the room' })).toBeVisible();
  for (const screen of screens) expect(await screen.page.content()).not.toContain('50 %');
  await phone.expectNoAxeViolation('a question on a phone');
  await phone.expectNoSidewaysScroll('a phone');
  await projector.expectNoAxeViolation('a question on the projector');
  await room.expectNoAxeViolation('the desk');

  // The real dockerd dies and comes back, and every screen draws it from the same trace.
  await page.locator('h1').click();
  await page.getByRole('radio', { name: 'Real', exact: true }).check({ force: true });
  await page.locator('h1').click();
  await room.press('k');
  await page
    .getByRole('dialog', { name: 'Break the engine' })
    .getByRole('button', { name: 'Send the signal' })
    .click();
  await expect(page.getByRole('region', { name: 'After SIGKILL to dockerd' })).toContainText(
    /dockerd pid \d+ died, and is back as pid \d+/,
    { timeout: 45_000 },
  );
  await page.locator('h1').click();
  await room.press('End');
  for (const screen of screens) await sameCaption(screen.page, page);

  // The engine, not an answer key, says who was right.
  await desk.getByRole('button', { name: 'Reveal: the engine decides' }).click();
  await expect(phone.page.getByText('You were right.')).toBeVisible();
  await expect(laptop.page.getByText('The engine saw something else.')).toBeVisible();
  for (const screen of [...screens, room])
    await expect(screen.page.getByText('The engine says: It goes on').first()).toBeVisible();
  await expect(desk).toContainText('1 of 2 right');

  // Who comes late is right at once.
  const late = await open(browser, `${origin}/room/${code}`, {
    viewport: { width: 390, height: 844 },
  });
  await sameCaption(late.page, page);
  await expect(desk.getByTestId('devices')).toHaveText('3 devices');

  // No secret has reached an audience page.
  const token = hash.replace('#token=', '');
  for (const screen of [...screens, late]) {
    expect(await screen.page.content()).not.toContain(token);
    expect(
      await screen.page.evaluate(() => JSON.stringify([sessionStorage, localStorage])),
    ).not.toContain(token);
    expect(screen.errors).toEqual([]);
  }

  // With one screen the page itself is the projector, and comes back by the same key.
  await page.locator('h1').click();
  await room.press('m');
  await expect(page.locator('.projected')).toBeVisible();
  await sameCaption(projector.page, page);
  await room.press('m');
  await desk.getByRole('button', { name: 'End the room' }).click();
  await expect(late.page.getByText('This room is over.')).toBeVisible();
  await Promise.all([...screens, late].map((screen) => screen.page.context().close()));
  await docker.ok(['rm', '-f', 'in-class']);
});

test('a clicker, a recording instead, a colleague at the wheel; each screen in its own words and colours', async ({
  room,
  engine,
  browser,
}) => {
  test.setTimeout(180_000);
  const { page } = room;
  const { origin } = new URL(engine.url);
  await page.getByRole('button', { name: 'Present', exact: true }).click();
  const desk = page.getByRole('region', { name: 'Presenter' });
  const code = await desk.locator('.room-code').innerText();
  await desk.getByRole('button', { name: 'Play the recording instead' }).click();
  await page.locator('h1').click();
  await room.press('Home');

  const german = await browser.newContext({ locale: 'de-DE', colorScheme: 'dark' });
  await german.addInitScript(() => {
    const request = navigator.wakeLock.request.bind(navigator.wakeLock);
    navigator.wakeLock.request = (type) => {
      document.documentElement.setAttribute('data-awake', String(type));
      return request(type);
    };
  });
  const phone = new EngineRoomPage(await german.newPage());
  await phone.page.goto(`${origin}/room/${code}`);
  const laptop = await open(browser, `${origin}/room/${code}`, { colorScheme: 'light' });
  await expect(phone.caption).toContainText('Schritt 0', { timeout: FIRST_LOAD_MS });
  await expect(laptop.caption).toContainText('Step 0 of');
  await expect(phone.page.locator('html')).toHaveAttribute('data-awake', 'screen');
  const colour = (screen: EngineRoomPage) =>
    screen.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  expect(await colour(phone)).not.toBe(await colour(laptop));

  // A phone with the clicker's secret, which stands in no audience page, moves the presenter, and all with it.
  const clicker = await page.evaluate(() => {
    const kept = sessionStorage.getItem('engine-room.room') ?? '{}';
    return (JSON.parse(kept) as { opened: { clicker: string } }).opened.clicker;
  });
  const hand = await open(browser, `${origin}/room/${code}#clicker=${clicker}`, {
    viewport: { width: 390, height: 844 },
  });
  await hand.page.getByRole('button', { name: 'Next →' }).click();
  await expect(room.caption).toContainText('Step 1 of');
  await expect(phone.caption).toContainText('Schritt 1');
  await hand.expectNoAxeViolation('the clicker');

  // A colleague in another browser sees no answers and moves nothing, until the wheel is handed over.
  const colleague = await open(browser, engine.url, {});
  await colleague.page.goto(`${origin}/?desk=${code}`);
  const theirs = colleague.page.getByRole('region', { name: 'Presenter' });
  await theirs.getByRole('button', { name: 'Ask for the wheel' }).click({ timeout: FIRST_LOAD_MS });
  await desk.getByRole('button', { name: 'Hand it over' }).click();
  await expect(theirs.getByRole('button', { name: 'Ask for the wheel' })).toBeHidden();
  await expect(desk.getByRole('button', { name: 'Ask for the wheel' })).toBeVisible();
  await colleague.page.locator('h1').click();
  await colleague.press('Home', 'PageDown', 'PageDown');
  await expect(laptop.caption).toContainText('Step 2 of');
  await theirs.getByRole('button', { name: 'End the room' }).click();
  await expect(laptop.page.getByText('This room is over.')).toBeVisible();
  for (const screen of [phone, laptop, hand, colleague]) {
    expect(screen.errors).toEqual([]);
    if (screen !== hand) expect(await screen.page.content()).not.toContain(clicker);
    await screen.page.context().close();
  }
});

test('an order is asked of the room, and the trace of the presenter’s own run decides', async ({
  room,
  engine,
  browser,
}) => {
  test.setTimeout(120_000);
  const { page } = room;
  const { origin } = new URL(engine.url);
  await page.getByRole('button', { name: 'Present', exact: true }).click();
  const desk = page.getByRole('region', { name: 'Presenter' });
  const code = await desk.locator('.room-code').innerText();
  const phone = await open(browser, `${origin}/room/${code}`, {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
  });
  const learner = new LessonPage(page);
  const [first] = readLessons();
  if (!first) throw new Error('there is no lesson');
  const { lesson } = first;
  await learner.open(lesson);
  await learner.predict(lesson, 'count', 'two');
  await learner.next();
  const run = await learner.run('first');
  await expect(run.getByRole('status')).toContainText('ended with exit', { timeout: 30_000 });

  await desk.getByRole('combobox', { name: 'Ask' }).selectOption('order');
  await desk.getByRole('button', { name: 'Ask', exact: true }).click();
  // As a finger does it: the list is put right from its top.
  const poll = phone.page.getByRole('region', { name: 'Question to the room' });
  for (const [place, name] of ['docker CLI', 'dockerd', 'containerd', 'shim', 'runc'].entries())
    for (;;) {
      const lines = await poll.getByRole('listitem').locator('span').allInnerTexts();
      if (lines[place] === name) break;
      await poll.getByRole('button', { name: `Move ${name} up` }).click();
    }
  await phone.expectNoAxeViolation('an order on a phone');
  await phone.expectNoSidewaysScroll('an order on a phone');
  await test
    .info()
    .attach('order', { body: await phone.page.screenshot(), contentType: 'image/png' });
  await poll.getByRole('button', { name: 'Send' }).click();
  const order = 'docker CLI → dockerd → containerd → shim → runc → the container';
  await expect(poll).toContainText(`Your answer: ${order}`);
  await expect(desk.getByTestId('answered')).toHaveText('1 of 1 have answered');
  await expect(desk.getByRole('listitem').filter({ hasText: order })).toContainText('1 (100 %)');

  await desk.getByRole('button', { name: 'Reveal: the engine decides' }).click();
  await expect(poll).toContainText(`The engine says: ${order}`);
  await expect(poll).toContainText('You were right.');
  await test.info().attach('order-told', {
    body: await phone.page.screenshot(),
    contentType: 'image/png',
  });
  await test
    .info()
    .attach('order-desk', { body: await page.screenshot(), contentType: 'image/png' });
  await desk.getByRole('button', { name: 'End the room' }).click();
  await phone.page.context().close();
});
