/** A state of the page as pictures in the report: dark, light and on a phone, none of them to be scrolled sideways. */
import { expect, test } from '@playwright/test';
import { type EngineRoomPage, SIZES } from './page.ts';

const [desk, , phone] = SIZES;
const LOOKS = [
  [desk, 'dark'],
  [desk, 'light'],
  [phone, 'dark'],
] as const;

/** Leaves the page at the size of a desk, in dark. */
export async function keepPictures(room: EngineRoomPage, state: string): Promise<void> {
  const { page } = room;
  const wear = async (size: (typeof SIZES)[number], theme: string): Promise<void> => {
    await page.setViewportSize(size);
    await page.evaluate((name) => {
      document.documentElement.dataset['theme'] = name;
    }, theme);
  };
  for (const [size, theme] of LOOKS) {
    await wear(size, theme);
    await expect(page.getByText('Setting the stage')).toBeHidden();
    await room.expectNoSidewaysScroll(`${state}, ${size.name}`);
    await test.info().attach(`${state}-${size.name}-${theme}`, {
      body: await page.screenshot(),
      contentType: 'image/png',
    });
  }
  await wear(desk, 'dark');
}
