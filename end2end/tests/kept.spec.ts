// A page changes under somebody who is in the middle of something: they stay where they were, with what they had.
import { codeOf, invite, phone, type } from "./codes";
import { deliver } from "./deliver";
import { announced, anotherTab, card, connected, indicator, show, SOON, Watched } from "./open";
import { awake, expect, PASSWORD, test } from "./world";

test("a button stays the button of the same person, and goes with them", async ({ page, browser, world }) => {
  await connected(page, world);
  const elif = await invite(page, world, "elif@acme.example");
  await invite(page, world, "ben@acme.example");
  const watched = new Watched(page);
  await watched.open(`${world.url}/team`);
  const revoke = (name: string) => page.getByRole("button", { name: `Revoke code for ${name}` });
  await revoke("Ben Castillo").focus();

  const mobile = await phone(browser);
  await type(mobile, world, codeOf(elif));
  await mobile.getByRole("button", { name: "That’s not me" }).click();
  await expect(revoke("Elif Demir")).toHaveCount(0, SOON);
  await expect(revoke("Ben Castillo")).toBeFocused();
  await expect(announced(page)).toContainText("Elif Demir’s code for Acme Robotics was answered with “That’s not me”");

  const tab = await anotherTab(page);
  await invite(tab, world, "chiara@acme.example");
  await expect(revoke("Chiara Rossi")).toHaveCount(1, SOON);
  await expect(revoke("Ben Castillo")).toBeFocused();

  await tab.goto(`${world.url}/team`);
  await tab.getByRole("button", { name: "Revoke code for Ben Castillo" }).click();
  await expect(revoke("Ben Castillo")).toHaveCount(0, SOON);
  await expect(page.getByRole("region", { name: "Waiting for an answer" })).toBeFocused();
  await watched.expectUntouched();
});

test("the place on the page, what is opened and what is selected stay", async ({ page, world }) => {
  const address = await connected(page, world);
  const [{ id }] = await world.connections();
  const hourly = [...Array(14).keys()].map((ago) => {
    const at = Date.now() - (ago + 1) * 3_600_000;
    return `('${id}', ${100 - ago}, 'refreshed', '', 'schedule', 200, 1, ${at}, ${at}, 180)`;
  });
  await world.sql(`
    INSERT INTO refresh_attempts (connection_id, generation, outcome, code, cause, status, tries, first_at, last_at, took_ms)
    VALUES ${hourly.join(", ")}`);
  const watched = new Watched(page);
  await page.setViewportSize({ width: 1280, height: 500 });
  await watched.open(address);
  const older = page.locator("details", { hasText: "older" });
  await older.locator("summary").click();
  await older.locator("li").last().evaluate((line) => {
    line.scrollIntoView({ block: "center" });
    getSelection()?.selectAllChildren(line);
  });
  const selected = () => page.evaluate(() => getSelection()?.toString());
  const before = await selected();
  const place = await page.evaluate(() => scrollY);
  expect(place).toBeGreaterThan(300);
  const heading = await older.locator("summary").innerText();

  const tab = await anotherTab(page);
  await tab.goto(address);
  await tab.getByRole("button", { name: "Refresh now" }).click();
  await expect(page.getByText("Refreshed by hand", { exact: true })).toHaveCount(1, SOON);
  await expect(older.locator("summary")).not.toHaveText(heading);
  await expect(older).toHaveAttribute("open");
  expect(await selected()).toBe(before);
  // The browser itself keeps the words in place that are looked at, below a line that was added.
  expect(Math.abs((await page.evaluate(() => scrollY)) - place)).toBeLessThan(60);
  await watched.expectUntouched();
});

test("what is typed stays when somebody is signed out, and the page says so", async ({ page, browser, world }) => {
  const address = await connected(page, world);
  const watched = new Watched(page);
  await watched.open(address);
  await page.locator("summary", { hasText: "Check a delivery" }).click();
  await page.getByLabel("Signature").fill("0123");
  await page.getByLabel("Body", { exact: true }).fill("{}");
  const other = await (await browser.newContext()).newPage();
  await world.signIn(other);
  await world.post(other, "/signout-elsewhere", {});
  await deliver(world, "ENG-1");
  await expect(indicator(page)).toContainText("You were signed out, or this page is gone.", SOON);
  await expect(page.getByLabel("Signature")).toHaveValue("0123");
  await expect(page.locator("html[data-since]")).toHaveCount(1);

  await page.getByRole("button", { name: "Check", exact: true }).click();
  await expect(page.getByText("You were signed out. Sign in to go on.")).toBeVisible();
  await page.getByLabel("E-mail").fill("priya@northwind.dev");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(address);
});

test("a page that could not fetch itself does not claim to be new, and tries again", async ({ page, world }) => {
  await connected(page, world);
  const watched = new Watched(page);
  await watched.open(`${world.url}/integrations`);
  let failed = 0;
  await page.route(`${world.url}/integrations`, (route) => (failed++ < 1 ? route.fulfill({ status: 503 }) : route.continue()));
  await world.linear.uninstall("acme-robotics");
  await world.command("refresh", "--due-within", "30d");
  await expect(indicator(page)).toContainText("Live updates paused since", SOON);
  await expect(announced(page)).toContainText("Live updates paused since");
  await expect(card(page).getByText("Reconnect required", { exact: true })).toBeVisible({ timeout: 10_000 });
  await expect(indicator(page)).toContainText("Updated just now");
});

test("a page stays its organisation’s when another tab changes to another one", async ({ page, world }) => {
  await connected(page, world);
  await world.member("priya@northwind.dev", "owner", "southwind");
  const watched = new Watched(page);
  await watched.open(`${world.url}/integrations`);
  const tab = await anotherTab(page);
  await tab.goto(`${world.url}/settings`);
  await tab.locator("details.switch summary").click();
  await tab.getByRole("button", { name: "Switch to southwind" }).click();
  await expect(tab.getByRole("heading", { level: 1 })).toHaveText("Connect your first workspace");
  await show(page, false);
  await show(page, true);
  await world.connectUnseen(tab, "globex");
  await expect(indicator(page)).toContainText("You switched to another organisation.", { timeout: 10_000 });
  await expect(card(page)).toBeVisible();
  await expect(page.getByRole("article", { name: "Globex" })).toHaveCount(0);
});

test("menus close by Escape, when something else is pressed, and when the focus goes on", async ({ page, world }) => {
  await connected(page, world);
  await world.member("priya@northwind.dev", "owner", "southwind");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${world.url}/integrations`);
  await awake(page);
  for (const menu of ["switch", "who"]) {
    const [details, summary] = [page.locator(`details.${menu}`), page.locator(`details.${menu} summary`)];
    await summary.click();
    await expect(details).toHaveAttribute("open");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Escape");
    await expect(details).not.toHaveAttribute("open");
    await expect(summary).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(details).toHaveAttribute("open");
    await page.getByRole("heading", { level: 1 }).click();
    await expect(details).not.toHaveAttribute("open");
    await summary.click();
    await page.locator("#main a").first().focus();
    await expect(details).not.toHaveAttribute("open");
  }
});

test("a key whose button is pressed twice is one", async ({ page, world }) => {
  await world.signUp(page);
  await page.goto(`${world.url}/settings`);
  await page.getByLabel("Name of a new key").fill("ci-runner");
  await awake(page);
  await page.getByRole("button", { name: "Create key" }).dblclick();
  await expect(page).toHaveURL(/shown=key/);
  await page.goto(`${world.url}/settings`);
  await expect(page.getByRole("button", { name: "Revoke ci-runner" })).toHaveCount(1);
});
