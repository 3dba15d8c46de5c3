import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Page } from 'playwright-core';
import { skipUnlessLong } from '../support/programs.ts';
import { assertAccessible, DESKTOP, PHONE, shot, type WebPage, type WebWorld } from './support.ts';

const LONG = skipUnlessLong() === false;

/** Nothing more is on its way. */
export async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForLoadState('networkidle');
}

export interface PageWalk {
  /** First part of their paths: "settings". */
  readonly area: string;
  readonly pages: readonly string[];
  readonly open: (page: string, options: Parameters<WebWorld['open']>[0]) => Promise<WebPage>;
}

/** Each page at each size, light and dark: accessible, no wider than the window, without errors. */
export function showsEveryPage({ area, pages, open: openAt }: PageWalk): void {
  // All four in CI; the two that differ most otherwise.
  for (const [size, viewport, looks] of [
    ['desktop', DESKTOP, LONG ? [false, true] : [true]],
    ['phone', PHONE, LONG ? [false, true] : [false]],
  ] as const) {
    it(`shows every page on a ${size} without fault`, async () => {
      for (const dark of looks) {
        await using open = await openAt(pages[0] ?? '', { viewport, dark, touch: size === 'phone' });
        for (const name of pages) {
          await open.page.goto(`/${area}/${name}`);
          await settled(open.page);
          await shot(open.page, `${area}-${name.replaceAll(/\W+/g, '-')}-${size}${dark ? '-dark' : ''}`);
          await assertAccessible(open.page);
          const wide = await open.page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
          assert.ok(wide <= 0, `${name} is ${wide} pixels wider than the window`);
        }
        assert.deepEqual(open.errors, []);
      }
    });
  }
}
