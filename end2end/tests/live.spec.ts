// An open page that nobody touches: it shows what happens elsewhere, within two seconds and without a reload.
import type { Locator } from "@playwright/test";
import { codeOf, invite, phone, type } from "./codes";
import { deliver, revoke } from "./deliver";
import { announced, anotherTab, card, connected, expectFrame, indicator, show, SOON, Watched } from "./open";
import { expect, test } from "./world";

test("the overview follows a connection that breaks, comes back and ends", async ({ page, world }) => {
  const address = await connected(page, world);
  const watched = new Watched(page);
  await watched.open(`${world.url}/integrations`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Acme Robotics is connected");

  await revoke(world);
  await expect(card(page).getByText("Reconnect required", { exact: true })).toBeVisible(SOON);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Acme Robotics needs you");
  await expect(page).toHaveTitle("(1) Integrations, Relink");
  await expect(announced(page)).toHaveText("Acme Robotics needs you");
  await expectFrame(page, "1 needs you", "bad");

  const tab = await anotherTab(page);
  await tab.goto(address);
  await tab.getByRole("button", { name: "Reconnect" }).click();
  await world.decide(tab, "acme-robotics", "Approve");
  await expect(card(page).getByText("Connected", { exact: true })).toBeVisible(SOON);
  await expect(page).toHaveTitle("Integrations, Relink");
  await expect(announced(page)).toHaveText("Acme Robotics is connected");
  await expectFrame(page, "", "ok");

  await tab.goto(`${address}?confirm=disconnect`);
  await tab.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await expect(tab.getByText("Acme Robotics is disconnected.")).toBeVisible();
  await expect(card(page).getByText("Not connected", { exact: true })).toBeVisible(SOON);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("No workspace is connected");
  await watched.expectUntouched();
});

test("a program that is refused by Linear shows on the page of its connection", async ({ page, world }) => {
  const address = await connected(page, world);
  const { key } = await world.command("key", "new", "--org", "northwind-labs", "--name", "ci");
  const watched = new Watched(page);
  await watched.open(address);

  const tab = await anotherTab(page);
  await tab.goto(address);
  await tab.getByRole("button", { name: "Refresh now" }).click();
  await expect(page.getByText("Refreshed by hand", { exact: true })).toBeVisible(SOON);

  await world.linear.uninstall("acme-robotics");
  const refused = await fetch(`${world.url}/api/v1/connections/${address.split("/").pop()}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ query: "{ viewer { id } }" }),
  });
  expect(refused.ok).toBe(false);
  await expect(page.getByText("Reconnect required", { exact: true })).toBeVisible(SOON);
  await expect(page.getByRole("button", { name: "Reconnect" })).toBeVisible();
  // What no longer works goes with it.
  await expect(page.getByRole("button", { name: "Refresh now" })).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "What was granted in this workspace" })).toBeVisible();
  await expect(announced(page)).toHaveText("Acme Robotics: Reconnect required");
  await watched.expectUntouched();
});

test("the empty overview shows the first workspace", async ({ page, world }) => {
  await world.signUp(page);
  const watched = new Watched(page);
  await watched.open(`${world.url}/integrations`);
  await world.connectUnseen(page, "acme-robotics");
  await expect(card(page).getByText("Connected", { exact: true })).toBeVisible(SOON);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Acme Robotics is connected");
  await expect(announced(page)).toHaveText("Acme Robotics is connected");
  await watched.expectUntouched();
});

test("new deliveries wait behind a link and push nothing away", async ({ page, world }) => {
  await connected(page, world);
  const watched = new Watched(page);
  const rows = page.locator("details[name=delivery]");
  await watched.open(`${world.url}/deliveries`);
  await expect(page.getByText("Nothing has arrived yet")).toBeVisible();
  await deliver(world, "ENG-1");
  await expect(rows).toHaveCount(1, SOON);
  await expect(page.getByText("Nothing has arrived yet")).toHaveCount(0);
  await rows.locator("summary").click();
  // What was put in place works as if it had always been there.
  await page.getByRole("button", { name: "Copy raw body" }).click();
  await expect(page.getByRole("button", { name: "Copied raw body" })).toBeVisible();
  await deliver(world, "ENG-2");
  await expect(page.locator(".arrived")).toHaveText("1 new delivery. Show", SOON);
  await expect(rows).toHaveCount(1);
  await expect(page.locator("details[name=delivery][open]")).toContainText("ENG-1");
  await watched.expectUntouched();

  await watched.open(`${world.url}/deliveries`);
  await deliver(world, "ENG-3");
  await deliver(world, "ENG-4");
  const notice = page.locator(".arrived");
  await expect(notice).toHaveText("2 new deliveries. Show", SOON);
  await expect(rows).toHaveCount(2);
  await expect(announced(page)).toHaveText("2 new deliveries");
  await watched.expectUntouched();
  await notice.getByRole("link", { name: "Show" }).click();
  await expect(rows).toHaveCount(4);
  await expect(notice).toHaveCount(0);
});

test("what somebody is in the middle of stays as it is", async ({ page, world }) => {
  const address = await connected(page, world);
  const watched = new Watched(page);
  await watched.open(address);
  const [folded, field] = [page.locator("details", { hasText: "Check a delivery" }), page.getByLabel("Signature")];
  await folded.locator("summary").click();
  await field.pressSequentially("0123");
  const tab = await anotherTab(page);
  await tab.goto(address);
  await tab.getByRole("button", { name: "Refresh now" }).click();
  await expect(page.getByText("Refreshed by hand", { exact: true })).toBeVisible(SOON);
  await field.pressSequentially("4567");
  await expect(field).toHaveValue("01234567");
  await expect(field).toBeFocused();
  await expect(folded).toHaveAttribute("open");
  await watched.expectUntouched();
});

test("whoever stands on a link that is put in place anew stands on it still", async ({ page, world }) => {
  await connected(page, world);
  const watched = new Watched(page);
  await watched.open(`${world.url}/integrations`);
  const link = card(page).getByRole("link", { name: "Acme Robotics", exact: true });
  await link.focus();
  await revoke(world);
  await expect(card(page).getByText("Reconnect required", { exact: true })).toBeVisible(SOON);
  await expect(link).toBeFocused();
  await watched.expectUntouched();
});

test("a page whose server is gone says since when, and catches up", async ({ page, world }) => {
  await connected(page, world);
  const watched = new Watched(page);
  await watched.open(`${world.url}/integrations`);
  await world.server.kill();
  await expect(indicator(page)).toHaveText(/^Live updates paused since \d\d:\d\d\. Refresh$/, SOON);
  await expect(indicator(page).getByRole("link", { name: "Refresh" })).toBeVisible();

  await world.linear.uninstall("acme-robotics");
  await world.command("refresh", "--due-within", "30d");
  await expect(card(page).getByText("Connected", { exact: true })).toBeVisible();
  await world.server.start();
  // The browser comes back by itself, every few seconds.
  await expect(indicator(page)).toContainText("Updated just now, times in UTC", { timeout: 15_000 });
  await expect(card(page).getByText("Reconnect required", { exact: true })).toBeVisible(SOON);
  await expect(page.locator("html[data-since]")).toHaveCount(1);

  const tab = await anotherTab(page);
  await tab.goto(`${world.url}/integrations`);
  await tab.getByRole("button", { name: "Reconnect" }).click();
  await world.decide(tab, "acme-robotics", "Approve");
  await expect(card(page).getByText("Connected", { exact: true })).toBeVisible(SOON);
});

test("a tab that nobody looks at has no stream, and catches up when it is looked at", async ({ page, world }) => {
  await connected(page, world);
  const [watched, other] = [new Watched(page), await anotherTab(page)];
  await watched.open(`${world.url}/integrations`);
  await other.goto(`${world.url}/integrations`);
  await expect(indicator(other)).toContainText("Updated just now");
  await show(page, false);
  await expect.poll(() => watched.over.length).toBe(1);

  await revoke(world);
  await expect(card(other).getByText("Reconnect required", { exact: true })).toBeVisible(SOON);
  await expect(card(page).getByText("Connected", { exact: true })).toBeVisible();
  expect(watched.streams).toHaveLength(1);

  await show(page, true);
  await expect(card(page).getByText("Reconnect required", { exact: true })).toBeVisible(SOON);
  await expect(indicator(page)).toContainText("Updated just now");
  expect(watched.streams).toHaveLength(2);
  await expect(page.locator("html[data-since]")).toHaveCount(1);
  expect(watched.heard).toEqual([]);
});

test("the team sees codes opened and answered", async ({ page, browser, world }) => {
  await connected(page, world);
  const watched = new Watched(page);
  const ben = await invite(page, world, "ben@acme.example");
  const elif = await invite(page, world, "elif@acme.example");
  await watched.settled();
  const row = (email: string) => page.getByRole("row", { name: new RegExp(email) });
  await expect(row("elif@acme.example")).toContainText("Not yet");

  const mobile = await phone(browser);
  await type(mobile, world, codeOf(elif));
  await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("Is this you in Linear?");
  await expect(row("elif@acme.example")).not.toContainText("Not yet", SOON);
  await expect(row("ben@acme.example")).toContainText("Not yet");
  await mobile.getByRole("button", { name: "Yes, that’s me" }).click();
  await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("You are linked");
  await expect(row("elif@acme.example")).toContainText("Acme Robotics", SOON);
  await expect(row("elif@acme.example").getByRole("link", { name: "Manage Elif Demir" })).toBeVisible();

  const other = await phone(browser);
  await type(other, world, codeOf(ben));
  await other.getByRole("button", { name: "That’s not me" }).click();
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("Nothing was linked");
  await expect(page.getByText("Ben Castillo’s code for Acme Robotics was answered with “That’s not me”")).toBeVisible(SOON);
  await expect(row("ben@acme.example")).toHaveCount(0);
  // The code that is shown once stays where it is.
  await expect(page.getByLabel("Link", { exact: true })).toHaveValue(elif);
  await watched.expectUntouched();
});

test("links between people and members show where they are looked at", async ({ page, browser, world }) => {
  const address = await connected(page, world);
  const link = await invite(page, world, "elif@acme.example");
  const watched = new Watched(page);
  await watched.open(`${world.url}/integrations`);
  await expect(card(page).getByRole("link", { name: "Invite someone in Acme Robotics" })).toBeVisible();
  const mobile = await phone(browser);
  await type(mobile, world, codeOf(link));
  await mobile.getByRole("button", { name: "Yes, that’s me" }).click();
  await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("You are linked");
  const linked: Locator = card(page).getByRole("link", { name: "1 person linked" });
  await expect(linked).toBeVisible(SOON);
  await watched.expectUntouched();
  await linked.click();
  await expect(page).toHaveURL(`${address}#people`);
});
