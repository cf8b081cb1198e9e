// Link codes: made by an admin, shown on a teammate's phone.
import type { Browser, BrowserContextOptions, Page } from "@playwright/test";
import { SIZES } from "./look";
import { anotherBrowser, expect, type World } from "./world";

export const INVALID = "This code is not valid. It was used, ran out, or has a typo. Ask whoever sent it for a new one.";

/** A teammate's phone. */
export function phone(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  return anotherBrowser(browser, { viewport: SIZES.phone, hasTouch: true, isMobile: true, ...options });
}

/** Makes a code as an admin does. Answers the link that the page shows. */
export async function invite(page: Page, world: World, person: string): Promise<string> {
  await page.goto(`${world.url}/team`);
  await page.getByLabel("Person in Linear").fill(person);
  await page.getByRole("button", { name: "Invite teammate" }).click();
  await expect(page).toHaveURL(/shown=code/);
  return page.getByLabel("Link", { exact: true }).inputValue();
}

export function codeOf(link: string): string {
  return link.split("#")[1];
}

export async function type(page: Page, world: World, code: string): Promise<void> {
  await page.goto(`${world.url}/link`);
  await page.getByLabel("Link code").fill(code);
  await page.getByRole("button", { name: "Continue" }).click();
}
