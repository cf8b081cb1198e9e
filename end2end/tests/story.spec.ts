// The story that the project is for, in a real browser.
import { anotherBrowser, awake, complaints, expect, test } from "./world";

test("connect, see the truth, reconnect, disconnect", async ({ page, world }) => {
  const heard = complaints(page);
  await world.signUp(page);
  await expect(page.getByText("Simulated Linear.", { exact: true })).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Connect your first workspace");

  await page.getByRole("button", { name: "Connect Linear" }).click();
  await world.decide(page, "acme-robotics", "Approve");
  await expect(page.getByRole("status").getByText("Acme Robotics is connected.")).toBeVisible();
  const card = page.getByRole("article", { name: "Acme Robotics" });
  await expect(card.getByText("Connected", { exact: true })).toBeVisible();

  await card.getByRole("link", { name: "Open Acme Robotics" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Acme Robotics");
  await expect(page.getByText("Gripper v2")).toBeVisible();
  await expect(page.getByText("Firmware").first()).toBeVisible();
  await page.getByRole("button", { name: "Check now" }).click();
  await expect(page.getByText(/Linear answered in \d+ ms/)).toBeVisible();

  // Over in Linear, somebody removes the app.
  const admin = await page.context().newPage();
  await admin.goto(world.linear.url);
  await admin.locator("section, article, li, tr, div").filter({ hasText: "Acme Robotics" }).getByRole("button", { name: "Uninstall" }).first().click();
  await admin.close();

  await page.waitForTimeout(2_100);
  await page.goto(`${world.url}/integrations`);
  await expect(page).toHaveTitle("(1) Integrations, Relink");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Acme Robotics needs you");
  await expect(card.getByText("Reconnect required", { exact: true })).toBeVisible();

  await card.getByRole("button", { name: "Reconnect" }).click();
  await world.decide(page, "acme-robotics", "Approve");
  await expect(page.getByText("Acme Robotics is connected again.")).toBeVisible();
  await expect(card.getByText("Connected", { exact: true })).toBeVisible();

  await card.getByRole("link", { name: "Open Acme Robotics" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Acme Robotics");
  await awake(page);
  await page.getByRole("button", { name: "Disconnect" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("Disconnect Acme Robotics?")).toBeVisible();
  await expect(page).not.toHaveURL(/confirm/);
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("button", { name: "Disconnect" })).toBeFocused();
  await page.getByRole("button", { name: "Disconnect" }).click();
  await dialog.getByRole("button", { name: "Disconnect" }).click();
  await expect(page.getByText("Acme Robotics is disconnected.")).toBeVisible();
  await expect(card.getByText("Not connected", { exact: true })).toBeVisible();
  expect(heard).toEqual([]);
});

test("cancel on the consent page changes nothing and says so", async ({ page, world }) => {
  await world.signUp(page);
  await page.getByRole("button", { name: "Connect Linear" }).click();
  await world.decide(page, "globex", "Cancel");
  await expect(page).toHaveURL(`${world.url}/integrations?error=access_denied`);
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("Linear did not give access.");
  await expect(alert).toBeFocused();
  await alert.getByRole("button", { name: "Try again" }).click();
  await world.decide(page, "globex", "Approve");
  await expect(page.getByText("Globex is connected.")).toBeVisible();
});

test("a callback works once and in one browser only", async ({ page, browser, world }) => {
  await world.signUp(page);
  let callback = "";
  page.on("request", (request) => request.url().includes("/oauth/linear/callback") && (callback = request.url()));
  await world.connect(page, "acme-robotics");
  expect(callback).toContain("code=");

  // Reloaded, it says how the attempt ended, and connects nothing again.
  await page.goto(callback);
  await expect(page.getByText("Acme Robotics is connected.")).toBeVisible();
  await expect(page.getByRole("article", { name: "Acme Robotics" }).getByText("Connected", { exact: true })).toBeVisible();

  // The way back of an attempt that is still open, carried to another browser where the same person is signed in.
  const leaving = page.waitForRequest((request) => request.url().includes("/oauth/authorize?"));
  await page.getByRole("button", { name: "Connect Linear" }).first().click();
  const { location } = await world.linear.control("approve", { authorize_url: (await leaving).url(), workspace: "globex" });
  const other = await anotherBrowser(browser);
  await world.signIn(other);
  await other.goto(location);
  await expect(other.getByRole("alert")).toContainText("This attempt did not start in this browser,");
  await page.goto(location);
  await expect(page.getByText("Globex is connected.")).toBeVisible();
});

test("a reconnect that comes back as another workspace is refused", async ({ page, world }) => {
  await world.signUp(page);
  await world.connect(page, "acme-robotics");
  await world.linear.uninstall("acme-robotics");
  await page.waitForTimeout(2_100);
  await page.reload();
  await page.getByRole("button", { name: "Reconnect" }).click();
  await world.decide(page, "globex", "Approve");
  const alert = page.getByRole("alert");
  await expect(alert).toContainText("You approved another workspace. This Reconnect is for Acme Robotics.");
  await alert.getByRole("button", { name: "Reconnect" }).click();
  await world.decide(page, "acme-robotics", "Approve");
  await expect(page.getByText("Acme Robotics is connected again.")).toBeVisible();
});

test("the person and the scopes are chosen in the form", async ({ page, world }) => {
  await world.signUp(page);
  await page.getByText("How Relink acts and what it may do").click();
  await expect(page.getByLabel(/^admin/)).toBeHidden();
  await page.getByLabel(/^You/).check();
  await expect(page.getByLabel(/^admin/)).toBeVisible();
  await page.getByLabel(/issues:create/).check();
  await page.getByRole("button", { name: "Connect Linear" }).click();
  await world.decide(page, "acme-robotics", "Approve");
  const card = page.getByRole("article", { name: "Acme Robotics" });
  await expect(card).toContainText(/Acts as (?!the app)/);
  await card.getByRole("link", { name: "Open Acme Robotics" }).click();
  await expect(page.getByText("issues:create")).toBeVisible();
});

test("going to Linear shows, and coming back restores the button", async ({ page, world }) => {
  await world.signUp(page);
  await awake(page);
  await world.linear.fault("authorize", "delay");
  const button = page.getByRole("button", { name: /Connect Linear|Going to Linear/ });
  await button.click({ noWaitAfter: true });
  await expect(page).toHaveURL(/\/oauth\/authorize/);
  await page.goBack();
  await expect(page.getByRole("button", { name: "Connect Linear" })).toBeVisible();
});
