// Who is who in Linear: an admin invites, and the teammate answers on a phone in a browser of their own.
import type { Page } from "@playwright/test";
import { codeOf, INVALID, invite, phone, type } from "./codes";
import { look, SIZES } from "./look";
import { anotherBrowser, awake, complaints, expect, PASSWORD, test } from "./world";

/** What the server was asked for, and what came along of the page before. */
function asked(page: Page): string[] {
  const heard: string[] = [];
  page.on("request", (request) => heard.push(`${request.url()} ${request.headers().referer ?? ""}`));
  return heard;
}

test("a link is opened on a phone, and its code stays out of the address bar", async ({ page, browser, world }) => {
  const heard = complaints(page);
  await world.signUp(page);
  await world.connect(page, "acme-robotics");
  const link = await invite(page, world, "Elif Demir, elif@acme.example");
  await expect(page.getByRole("heading", { name: "Link code for Elif Demir, shown once." })).toBeVisible();
  await page.getByRole("button", { name: "Copy link" }).click();
  await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
  await page.reload();
  await expect(page.getByText("Link codes are shown once.")).toBeVisible();
  expect(await page.content()).not.toContain(codeOf(link));

  const mobile = await phone(browser);
  const [loud, requests] = [complaints(mobile), asked(mobile)];
  await mobile.goto(link);
  await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("Is this you in Linear?");
  await expect(mobile).toHaveURL(`${world.url}/link`);
  expect(requests.filter((line) => line.includes(codeOf(link)))).toEqual([]);
  expect(requests.filter((line) => line.endsWith("/link")).filter((line) => line.includes(" http"))).toEqual([]);
  for (const label of ["Yes, that’s me", "That’s not me"]) {
    const box = await mobile.getByRole("button", { name: label }).boundingBox();
    expect(box?.height, label).toBeGreaterThanOrEqual(44);
    expect((box?.y ?? 0) + (box?.height ?? 0), `${label} without scrolling`).toBeLessThanOrEqual(SIZES.phone.height);
  }
  await mobile.getByRole("button", { name: "Yes, that’s me" }).click();
  await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("You are linked");
  await mobile.goBack();
  expect(mobile.url()).not.toContain("#");

  await mobile.goto(`${world.url}/link?ended=yes`);
  await mobile.getByText("Set a password for later").click();
  await mobile.getByLabel("Choose a password").fill(PASSWORD);
  await mobile.getByRole("button", { name: "Save password" }).click();
  await expect(mobile.getByText("Saved. Sign in later with elif@acme.example")).toBeVisible();
  await world.signIn(await anotherBrowser(browser), "elif@acme.example");

  await page.goto(`${world.url}/team`);
  await expect(page.getByRole("row", { name: /elif@acme.example/ })).toContainText("Acme Robotics");
  expect([...heard, ...loud]).toEqual([]);
});

for (const javaScriptEnabled of [true, false]) {
  test(`a button that is pressed twice, with JavaScript ${javaScriptEnabled ? "on" : "off"}`, async ({ page, browser, world }) => {
    await world.signUp(page);
    await world.connect(page, "acme-robotics");
    const mobile = await phone(browser, { javaScriptEnabled });
    await type(mobile, world, codeOf(await invite(page, world, "elif@acme.example")));
    const yes = mobile.getByRole("button", { name: "Yes, that’s me" });
    await expect(yes).toBeVisible();
    if (javaScriptEnabled) await awake(mobile);
    await yes.dblclick();
    await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("You are linked");
    await mobile.goto(`${world.url}/team`);
    await expect(mobile.getByRole("row", { name: /elif@acme.example/ })).toContainText("Acme Robotics");
  });
}

test("a second link is opened on the page of the first", async ({ page, browser, world }) => {
  await world.signUp(page);
  await world.connect(page, "acme-robotics");
  const [first, second] = [await invite(page, world, "elif@acme.example"), await invite(page, world, "ben@acme.example")];
  const mobile = await phone(browser);
  await mobile.goto(first);
  await expect(mobile.getByText("Elif Demir")).toBeVisible();
  await mobile.goto(second);
  await expect(mobile.getByText("Ben Castillo")).toBeVisible();
  await expect(mobile).toHaveURL(`${world.url}/link`);
  // The skip link is behind a # too.
  await mobile.evaluate(() => { location.hash = "main"; });
  await expect(mobile.getByText("Ben Castillo")).toBeVisible();
  await mobile.getByRole("button", { name: "That’s not me" }).click();
  await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("Nothing was linked");
  await page.goto(`${world.url}/team`);
  await expect(page.getByText("Ben Castillo’s code for Acme Robotics was answered with “That’s not me”")).toBeVisible();
  await expect(page.getByRole("row", { name: /elif@acme.example/ })).toContainText("Today");
});

for (const javaScriptEnabled of [true, false]) {
  test(`a code is typed with JavaScript ${javaScriptEnabled ? "on" : "off"}`, async ({ page, browser, world }) => {
    await world.signUp(page);
    await world.connect(page, "acme-robotics");
    const link = await invite(page, world, "elif@acme.example");
    const mobile = await phone(browser, { javaScriptEnabled });
    await mobile.goto(`${world.url}/signin`);
    await mobile.getByRole("link", { name: "I have a link code" }).click();
    await mobile.getByLabel("Link code").fill("0000-0000-0000-0000");
    await mobile.getByRole("button", { name: "Continue" }).click();
    await expect(mobile.getByText(INVALID)).toBeVisible();
    await expect(mobile.getByLabel("Link code")).toBeFocused();
    await mobile.getByLabel("Link code").fill(codeOf(link).toLowerCase().replaceAll("-", ""));
    await mobile.getByRole("button", { name: "Continue" }).click();
    await mobile.getByRole("button", { name: "Yes, that’s me" }).click();
    await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("You are linked");
  });
}

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("the team is managed", async ({ page, browser, world }) => {
    await world.signUp(page);
    await world.connect(page, "acme-robotics");
    const link = await invite(page, world, "elif@acme.example");
    await page.getByRole("button", { name: "Revoke code" }).first().click();
    await expect(page.getByText("Elif Demir’s code is revoked.")).toBeVisible();
    const mobile = await phone(browser, { javaScriptEnabled: false });
    await type(mobile, world, codeOf(link));
    await expect(mobile.getByText(INVALID)).toBeVisible();
    await type(mobile, world, codeOf(await invite(page, world, "elif@acme.example")));
    await mobile.getByRole("button", { name: "Yes, that’s me" }).click();

    await page.goto(`${world.url}/team`);
    await page.getByText("Which one is you in Acme Robotics?").click();
    await page.getByLabel("Person in Acme Robotics").selectOption({ label: "Ada Okafor, ada@acme.example" });
    await page.getByRole("button", { name: "That’s me" }).click();
    await expect(page.getByText("You are Ada Okafor in Acme Robotics.")).toBeVisible();

    await page.getByRole("link", { name: "Manage Elif Demir" }).click();
    await page.getByRole("button", { name: "Vouch for Elif Demir" }).click();
    await expect(page).toHaveURL(/confirm=vouch/);
    await page.getByRole("dialog").getByRole("button", { name: "I vouch for them" }).click();
    await expect(page.getByText("You vouched for Elif Demir.")).toBeVisible();
    await page.getByRole("link", { name: "Manage Elif Demir" }).click();
    await page.getByLabel("Role").selectOption("Admin");
    await page.getByRole("button", { name: "Save role" }).click();
    await expect(page.getByText("Elif Demir is an admin now.")).toBeVisible();
    await page.getByRole("link", { name: "Manage Elif Demir" }).click();
    await page.getByRole("button", { name: "Unlink" }).click();
    await expect(page.getByText("Elif Demir in Acme Robotics is unlinked.")).toBeVisible();
    await page.getByRole("link", { name: "Manage Elif Demir" }).click();
    await page.getByRole("button", { name: "Remove Elif Demir" }).click();
    await expect(page).toHaveURL(/confirm=remove/);
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await expect(page.getByText("Elif Demir is removed.")).toBeVisible();
  });
});

test("removing a member asks in place", async ({ page, browser, world }) => {
  await world.signUp(page);
  await world.connect(page, "acme-robotics");
  const mobile = await phone(browser);
  await mobile.goto(await invite(page, world, "elif@acme.example"));
  await mobile.getByRole("button", { name: "Yes, that’s me" }).click();
  await page.goto(`${world.url}/team`);
  await page.getByRole("link", { name: "Manage Elif Demir" }).click();
  await expect(page.getByRole("button", { name: "Remove Elif Demir" })).toBeVisible();
  await awake(page);
  await page.getByRole("button", { name: "Remove Elif Demir" }).click();
  const dialog = page.getByRole("dialog", { name: "Remove Elif Demir?" });
  await expect(dialog.getByRole("link", { name: "Keep them" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await page.getByRole("button", { name: "Remove Elif Demir" }).click();
  await dialog.getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("Elif Demir is removed.")).toBeVisible();
  await mobile.goto(`${world.url}/team`);
  await expect(mobile).toHaveURL(/\/signin/);
});

test("every page of it, looked at", async ({ page, browser, world }) => {
  test.setTimeout(240_000);
  await world.signUp(page);
  await page.goto(`${world.url}/team`);
  await look(page, "team-empty");
  await world.connect(page, "acme-robotics");
  await world.connect(page, "initech");
  await page.goto(`${world.url}/team`);
  await look(page, "team-first");
  const elif = await invite(page, world, "elif@acme.example");
  const ben = await invite(page, world, "ben@acme.example");
  const chiara = await invite(page, world, "chiara@acme.example");
  await page.getByText("A message to paste").click();
  await look(page, "team-invited");
  await page.reload();
  await look(page, "team-shown");
  await page.getByLabel("Person in Linear").fill("Nobody at all");
  await page.getByRole("button", { name: "Invite teammate" }).click();
  await expect(page).toHaveTitle("Error: Team, Relink");
  await look(page, "team-refused");

  const mobile = await phone(browser);
  await mobile.goto(`${world.url}/link`);
  await look(mobile, "link");
  await type(mobile, world, "0000-0000-0000-0000");
  await look(mobile, "link-error");
  await mobile.goto(elif);
  await expect(mobile.getByText("Elif Demir")).toBeVisible();
  await look(mobile, "link-preview");
  await mobile.getByRole("button", { name: "Yes, that’s me" }).click();
  await mobile.getByText("Set a password for later").click();
  await look(mobile, "link-done");
  await mobile.goto(chiara);
  await expect(mobile.getByText("A yes adds this to your account, elif@acme.example.")).toBeVisible();
  await look(mobile, "link-added");
  await mobile.getByRole("button", { name: "Yes, that’s me" }).click();
  await look(mobile, "link-other");

  const other = await phone(browser);
  await other.goto(ben);
  await other.getByRole("button", { name: "That’s not me" }).click();
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("Nothing was linked");
  await look(other, "link-notme");

  await page.goto(`${world.url}/team`);
  await page.getByText("Which one is you in Acme Robotics?").click();
  await look(page, "team");
  await page.getByRole("link", { name: "Manage Elif Demir" }).click();
  await look(page, "team-manage");
  await page.goto(`${page.url().split("#")[0]}&confirm=remove`);
  await look(page, "team-remove");
});
