// What is on the screen stays where it is while the page wakes up and begins to say how new it is.
import type { Page } from "@playwright/test";
import { deliver } from "../tests/deliver";
import { SIZES } from "../tests/look";
import { expect, test } from "../tests/world";

/** Before the page's first paint: everything that ever moves, by what it is. */
async function watch(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const moved: string[] = [];
    Object.assign(window, { moved });
    const name = (node: Node | null) => (node instanceof Element ? node : node?.parentElement)?.outerHTML.slice(0, 80) ?? "gone";
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        for (const source of (entry as unknown as { sources: { node: Node | null }[] }).sources) moved.push(name(source.node));
      }
    });
    observer.observe({ type: "layout-shift", buffered: true });
  });
}

test("nothing moves while a page wakes up", async ({ page, world }) => {
  await world.signUp(page);
  for (const workspace of ["acme-robotics", "globex"]) await world.connect(page, workspace);
  await deliver(world, "ENG-1");
  const [connection] = await world.connections();
  await watch(page);
  for (const viewport of Object.values(SIZES)) {
    // Resizing moves things too.
    await page.goto("about:blank");
    await page.setViewportSize(viewport);
    for (const path of ["/integrations", `/integrations/${connection.id}`, "/deliveries", "/team", "/settings"]) {
      await page.goto(`${world.url}${path}`);
      if (await page.locator(".live").count()) await expect(page.locator('.live[data-state="on"]')).toBeVisible();
      await page.waitForTimeout(300);
      const moved = await page.evaluate(() => (window as unknown as { moved: string[] }).moved);
      expect.soft(moved, `${path} at ${viewport.width} px`).toEqual([]);
    }
  }
});

test("the frame is where it will be before all of it has arrived", async ({ page, world }) => {
  await world.signUp(page);
  for (const viewport of Object.values(SIZES)) {
    await page.setViewportSize(viewport);
    await page.goto(`${world.url}/integrations`);
    const moved = await page.evaluate(() => {
      const parts = [...document.querySelectorAll(".brand, .side li, .side details")];
      const place = (part: Element) => [part.getBoundingClientRect().x, part.getBoundingClientRect().y].join();
      const places = parts.map(place);
      const moved = new Set<string>();
      // As a browser sees it that has got less and less of the page.
      while (parts.length > 1) {
        parts.pop()?.remove();
        parts.forEach((part, at) => place(part) !== places[at] && moved.add(part.outerHTML.slice(0, 80)));
      }
      return [...moved];
    });
    expect.soft(moved, `at ${viewport.width} px`).toEqual([]);
  }
});
