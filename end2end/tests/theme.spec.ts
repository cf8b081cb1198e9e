// Light or dark: what the system says, until somebody chooses.
import type { Page } from "@playwright/test";
import { awake, expect, test } from "./world";

const LIGHT = "rgb(245, 245, 240)";
const DARK = "rgb(15, 18, 16)";

/** The page, and what a phone paints around it. */
async function expectPainted(page: Page, colour: string): Promise<void> {
  const painted = () =>
    page.evaluate(() => {
      const around = [...document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')];
      const probe = document.body.appendChild(document.createElement("i"));
      const colours = around.filter(({ media }) => !media || matchMedia(media).matches).map(({ content }) => {
        probe.style.color = content;
        return getComputedStyle(probe).color;
      });
      probe.remove();
      return [getComputedStyle(document.documentElement).backgroundColor, ...colours];
    });
  await expect.poll(painted).toEqual([colour, colour]);
}

test("a theme is chosen by keyboard, in place, and is there before any script", async ({ page, world }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await world.signUp(page);
  await page.goto(`${world.url}/settings`);
  await expectPainted(page, LIGHT);
  await awake(page);
  let loads = 0;
  page.on("load", () => loads++);

  const saved = () => page.waitForResponse((reply) => reply.url() === `${world.url}/theme`);
  await page.getByRole("radio", { name: "System" }).focus();
  const light = saved();
  await page.keyboard.press("ArrowRight");
  expect((await light).status()).toBeLessThan(400);
  const dark = saved();
  await page.keyboard.press("ArrowRight");
  expect((await dark).status()).toBeLessThan(400);
  await expect(page.getByRole("radio", { name: "Dark" })).toBeFocused();
  await expectPainted(page, DARK);
  expect(loads).toBe(0);

  await page.route(/\.(js|wasm)$/, (route) => route.abort());
  await page.goto(`${world.url}/deliveries`);
  await expect(page.locator('meta[name="color-scheme"]')).toHaveAttribute("content", "dark");
  await expectPainted(page, DARK);
  await page.unroute(/\.(js|wasm)$/);

  await page.goto(`${world.url}/settings`);
  await awake(page);
  const system = saved();
  await page.getByRole("radio", { name: "Dark" }).focus();
  await page.keyboard.press("ArrowRight");
  await system;
  await expectPainted(page, LIGHT);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`${world.url}/deliveries`);
  await expectPainted(page, DARK);
});

test("what is pressed before the page's script is there is done when it is, or is not there to be pressed", async ({ page, world }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await world.signUp(page);
  let wake = () => {};
  const asleep = new Promise<void>((resolve) => { wake = resolve; });
  await page.route(/\.wasm$/, async (route) => { await asleep; await route.continue(); });
  await page.goto(`${world.url}/settings`);
  const copy = page.getByRole("button", { name: /^Copy/ }).first();
  await expect(page.locator(".copy").first()).toBeVisible();
  await expect(copy).toBeHidden();
  await page.getByText("Dark", { exact: true }).click();
  wake();
  // Chromium tells no answers of requests that it is asked to hold up.
  await expect.poll(async () => (await page.context().cookies()).find(({ name }) => /theme/.test(name))?.value).toBe("dark");
  await expect(copy).toBeVisible();
  await expectPainted(page, DARK);
  await page.reload();
  await expect(page.getByRole("radio", { name: "Dark" })).toBeChecked();
  await expectPainted(page, DARK);
});
