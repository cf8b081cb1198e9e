// Pages as they are looked at: by axe and by people, in both themes, from the smallest phone to a wide desk.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./world";

export const SIZES = {
  narrow: { width: 320, height: 640 },
  phone: { width: 390, height: 844 },
  tablet: { width: 768, height: 1024 },
  desktop: { width: 1280, height: 800 },
  wide: { width: 1920, height: 1080 },
};
/** Where one column more or less is decided, and a little is too much. */
const BETWEEN = [640, 960, 1024, 1100];
/** WCAG 2.2 up to AA, and what axe holds for best practice. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];

/** Where most people look; elsewhere only what is in the way can differ, and looking takes a second. */
const OFTEN: string[] = ["phone", "desktop"];
const PICTURES = process.env.PICTURES !== undefined;

/**
 * Looks at the page in both themes and all sizes: nothing for axe, nothing sideways.
 * With PICTURES set axe looks everywhere, and there is a picture of each.
 */
export async function look(page: Page, name: string): Promise<void> {
  // Whoever is sent on from Linear may be here before the stylesheet is.
  await page.waitForLoadState("load");
  const before = page.viewportSize() ?? SIZES.desktop;
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    for (const [size, viewport] of Object.entries(SIZES)) {
      const what = `${name}-${theme}-${size}`;
      await page.setViewportSize(viewport);
      await fits(page, what);
      await picture(page, what);
      if (PICTURES || OFTEN.includes(size)) await complainsNot(page, what);
    }
  }
  await fitsBetween(page, name);
  await page.setViewportSize(before);
}

/** Nothing sideways at any width, and nothing out of its box. */
export async function fitsEverywhere(page: Page, name: string): Promise<void> {
  for (const viewport of Object.values(SIZES)) {
    await page.setViewportSize(viewport);
    await fits(page, `${name} at ${viewport.width}`);
  }
  await fitsBetween(page, name);
}

async function fitsBetween(page: Page, name: string): Promise<void> {
  for (const width of BETWEEN) {
    await page.setViewportSize({ width, height: 800 });
    await fits(page, `${name} at ${width}`);
  }
}

/** With PICTURES set: the page as it is, from top to bottom. */
export async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES) await page.screenshot({ path: `pictures/${name}.png`, fullPage: true });
}

async function complainsNot(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  expect(violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`), what).toEqual([]);
}

async function fits(page: Page, what: string): Promise<void> {
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(sideways, `${what} scrolls sideways`).toBeLessThanOrEqual(0);
  const tooSmall = await page.evaluate(() =>
    [...document.querySelectorAll(".sheet, .card, .panel, dialog[open]")]
      .filter((box) => box.scrollWidth > box.clientWidth + 1)
      .map((box) => `${box.className}: ${box.scrollWidth - box.clientWidth} px of ${box.textContent?.slice(0, 80)}`),
  );
  expect(tooSmall, `${what} sticks out of its box`).toEqual([]);
}
