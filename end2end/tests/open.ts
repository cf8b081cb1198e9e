// A page that somebody has open and does not touch.
import type { Page, Request } from "@playwright/test";
import { complaints, expect, type World } from "./world";

/** What the pages promise. */
export const SOON = { timeout: 2_000 };

export const card = (page: Page) => page.getByRole("article", { name: "Acme Robotics" });
export const indicator = (page: Page) => page.locator("p.live");
/** What is said to those who listen. */
export const announced = (page: Page) => page.locator("p.live + [role=status]");

/** A page that was loaded once, and what it asked for since. */
export class Watched {
  /** Streams that were opened, and those of them that are over. */
  readonly streams: Request[] = [];
  readonly over: Request[] = [];
  readonly heard: string[];

  constructor(readonly page: Page) {
    this.heard = complaints(page);
    page.on("framenavigated", () => {
      this.streams.length = 0;
      this.over.length = 0;
    });
    const isStream = (request: Request) => new URL(request.url()).pathname === "/live";
    page.on("request", (request) => isStream(request) && this.streams.push(request));
    for (const end of ["requestfinished", "requestfailed"] as const) {
      page.on(end as "requestfailed", (request) => isStream(request) && this.over.push(request));
    }
  }

  async open(url: string): Promise<void> {
    await this.page.goto(url);
    await this.settled();
  }

  /** The stream is there, whatever led to the page. */
  async settled(): Promise<void> {
    await expect(indicator(this.page)).toContainText("Updated just now, times in UTC");
    await this.page.evaluate(() => { document.documentElement.dataset.since = "the beginning"; });
  }

  /** It is still the page that was opened, with the one stream that it opened. */
  async expectUntouched(): Promise<void> {
    await expect(this.page.locator("html[data-since]")).toHaveCount(1);
    expect(this.streams).toHaveLength(1);
    expect(this.heard).toEqual([]);
  }
}

/** The count in the navigation and the picture in the tab. */
export async function expectFrame(page: Page, count: string, tone: string): Promise<void> {
  await expect(page.getByRole("link", { name: /^Integrations/ }).first()).toHaveText(`Integrations${count}`);
  await expect(page.locator("link[rel=icon]")).toHaveAttribute("href", new RegExp(`favicon-${tone}`));
}

/** Acme Robotics is connected, and the address of its page is known. */
export async function connected(page: Page, world: World): Promise<string> {
  return `${world.url}/integrations/${await world.signUpConnected(page)}`;
}

/** Another tab of the same person. */
export function anotherTab(page: Page): Promise<Page> {
  return page.context().newPage();
}

/** As browsers tell a page that it is looked at, or is not. */
export async function show(page: Page, visible: boolean): Promise<void> {
  await page.evaluate((visible) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => !visible });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, visible);
}
