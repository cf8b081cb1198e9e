// Pages as they are looked at: by axe and by people, in both themes, on a desk and on a phone.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./world";

export const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
/** No page has less room. */
const NARROWEST = { width: 320, height: 640 };

/** Looks at the page in both themes and sizes: nothing for axe, nothing sideways, and a picture of each. */
export async function look(page: Page, name: string): Promise<void> {
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      await page.screenshot({ path: `pictures/${name}-${theme}-${size}.png`, fullPage: true });
      await fits(page, `${name} at ${size}`);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`), `${name} ${theme} ${size}`).toEqual([]);
    }
  }
  await page.setViewportSize(NARROWEST);
  await fits(page, `${name} at ${NARROWEST.width} px`);
  await page.setViewportSize(SIZES.desktop);
}

async function fits(page: Page, what: string): Promise<void> {
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(sideways, `${what} scrolls sideways`).toBeLessThanOrEqual(0);
}
