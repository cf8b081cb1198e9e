// Everything works with JavaScript off.
import type { Page } from "@playwright/test";
import { codeOf, invite, phone, type } from "./codes";
import { deliver } from "./deliver";
import { anotherBrowser, expect, PASSWORD, test, type World } from "./world";

test.use({ javaScriptEnabled: false });

async function connected(page: Page, world: World): Promise<void> {
  await world.signUp(page);
  await world.connectUnseen(page, "acme-robotics");
}

test("the whole story without JavaScript", async ({ page, world }) => {
  await world.signUp(page);
  await world.connect(page, "acme-robotics");
  await expect(page.getByText("Acme Robotics is connected.")).toBeVisible();
  const card = page.getByRole("article", { name: "Acme Robotics" });
  await card.getByRole("link", { name: "Open Acme Robotics" }).click();
  await expect(page.getByText("Gripper v2")).toBeVisible();
  await page.getByRole("button", { name: "Check now" }).click();
  await expect(page.getByText(/Linear answered in \d+ ms/)).toBeVisible();

  await page.getByLabel("New signing secret").fill("lin_wh_AcmesOwnSecret0123");
  await page.getByRole("button", { name: "Save secret" }).click();
  await expect(page.getByText("Saved. Waiting for the first delivery signed with it.")).toBeVisible();
  await page.getByText("Check a delivery").click();
  await page.getByLabel("Body").fill("{}");
  await page.getByLabel("Signature").fill("x");
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await expect(page.getByText("The delivery is signed with no secret known here.")).toBeVisible();
  await page.getByRole("button", { name: "Remove lin_wh_····0123" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("No signing secret yet.")).toBeVisible();

  await world.linear.uninstall("acme-robotics");
  await page.waitForTimeout(2_100);
  await page.goto(`${world.url}/integrations`);
  await card.getByRole("button", { name: "Reconnect" }).click();
  await world.decide(page, "acme-robotics", "Approve");
  await expect(page.getByText("Acme Robotics is connected again.")).toBeVisible();

  await card.getByRole("link", { name: "Open Acme Robotics" }).click();
  await page.getByRole("button", { name: "Disconnect" }).click();
  await expect(page).toHaveURL(/confirm=disconnect/);
  await page.getByRole("link", { name: "Keep connected" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await expect(card.getByText("Not connected", { exact: true })).toBeVisible();
});

test("theme, password and signing out without JavaScript", async ({ page, world }) => {
  await world.signUp(page);
  await page.goto(`${world.url}/settings`);
  await page.getByText("Dark", { exact: true }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.getByLabel("Current password").fill(PASSWORD);
  await page.getByLabel("New password").fill("another fine sentence");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("Your password is changed.")).toBeVisible();
  await page.locator("details.who summary").click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(page).toHaveURL(`${world.url}/signin`);
  await page.getByLabel("E-mail").fill("priya@northwind.dev");
  await page.getByLabel("Password").fill("the wrong sentence");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("E-mail and password do not match. 4 tries left")).toBeVisible();
  await expect(page.getByLabel("E-mail")).toHaveValue("priya@northwind.dev");
});

test("signing in without JavaScript leads to the page that was asked for", async ({ page, browser, world }) => {
  await world.signUp(page);
  const other = await anotherBrowser(browser, { javaScriptEnabled: false });
  await other.goto(`${world.url}/deliveries?event=Issue`);
  await expect(other).toHaveURL(/\/signin\?next=/);
  await other.getByLabel("E-mail").fill("priya@northwind.dev");
  await other.getByLabel("Password").fill(PASSWORD);
  await other.getByRole("button", { name: "Sign in" }).click();
  await expect(other).toHaveURL(`${world.url}/deliveries?event=Issue`);
  await page.goto(`${world.url}/settings`);
  await page.getByRole("button", { name: "Sign out everywhere else" }).click();
  await expect(page.getByText("Signed out everywhere else.")).toBeVisible();
  await other.reload();
  await expect(other.getByText("You were signed out. Sign in to go on.")).toBeVisible();
});

test("refreshing, and how new the page is, without JavaScript", async ({ page, world }) => {
  await connected(page, world);
  await page.goto(`${world.url}/integrations`);
  await expect(page.locator("p.live")).toHaveText(/^As of \d\d:\d\d:\d\d UTC\. Refresh$/);
  await page.getByRole("link", { name: "Open Acme Robotics" }).click();
  await page.getByRole("button", { name: "Refresh now" }).click();
  await expect(page.getByText("The token was refreshed.")).toBeVisible();
  await expect(page.getByText("Refreshed by hand", { exact: true })).toBeVisible();
});

test("deliveries are filtered and paged without JavaScript", async ({ page, world }) => {
  await connected(page, world);
  for (let number = 1; number <= 23; number++) await deliver(world, `ENG-${number}`);
  await deliver(world, "", { type: "Comment", data: { id: "c1", body: "Looks good" } });
  const rows = page.locator("details[name=delivery]");
  await page.goto(`${world.url}/deliveries`);
  await expect(rows).toHaveCount(20);
  await page.getByLabel("Event type").selectOption("Issue");
  await page.getByLabel("Workspace").selectOption("Acme Robotics");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(rows).toHaveCount(20);
  await expect(rows.first()).toContainText("ENG-23");
  await page.getByRole("link", { name: "Older" }).click();
  await expect(rows).toHaveCount(3);
  await expect(rows.last()).toContainText("ENG-1");
  await rows.last().locator("summary").click();
  await expect(rows.last()).toContainText("Verified, the Linear app’s secret");
  await page.getByRole("link", { name: "Newer" }).click();
  await expect(rows.first()).toContainText("ENG-23");
  await page.getByLabel("Event type").selectOption("Comment");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(rows).toHaveCount(1);
});

test("link codes without JavaScript: several, a new one, a no, and a first password", async ({ page, browser, world }) => {
  await connected(page, world);
  await page.goto(`${world.url}/team`);
  await page.getByText("Several people at once").click();
  await expect(page.getByLabel("Find people")).toBeHidden();
  for (const name of [/Elif Demir/, /Ben Castillo/]) await page.getByRole("checkbox", { name }).check();
  await page.getByRole("button", { name: "Invite those picked" }).click();
  await expect(page.getByRole("heading", { name: "2 link codes, shown once." })).toBeVisible();
  await page.getByRole("link", { name: "Done" }).click();

  await page.getByRole("button", { name: "New code for Elif Demir" }).click();
  const elif = await phone(browser, { javaScriptEnabled: false });
  await type(elif, world, codeOf(await page.getByLabel("Link", { exact: true }).inputValue()));
  await elif.getByRole("button", { name: "Yes, that’s me" }).click();
  await elif.getByText("Set a password for later").click();
  await elif.getByLabel("Choose a password").fill(PASSWORD);
  await elif.getByRole("button", { name: "Save password" }).click();
  await expect(elif.getByText("Saved. Sign in later with elif@acme.example")).toBeVisible();
  await world.signIn(await anotherBrowser(browser, { javaScriptEnabled: false }), "elif@acme.example");

  const chiara = await phone(browser, { javaScriptEnabled: false });
  await type(chiara, world, codeOf(await invite(page, world, "chiara@acme.example")));
  await chiara.getByRole("button", { name: "That’s not me" }).click();
  await expect(chiara.getByRole("heading", { level: 1 })).toHaveText("Nothing was linked");
  await page.goto(`${world.url}/team`);
  const answer = page.getByText("Chiara Rossi’s code for Acme Robotics was answered with “That’s not me”");
  await expect(answer).toBeVisible();
  await page.getByRole("button", { name: "Dismiss the answer to Chiara Rossi’s code" }).click();
  await expect(answer).toHaveCount(0);
});

test("a Linear app of one's own without JavaScript", async ({ page, world }) => {
  await connected(page, world);
  const own = await world.linear.control("apps", { name: "Acme internal", private_to_workspace: "globex" });
  await page.goto(`${world.url}/settings`);
  await page.getByText("Add an app").click();
  await page.getByLabel("Name", { exact: true }).fill("Acme internal");
  await page.getByLabel("Client ID").last().fill(own.client_id);
  await page.getByLabel(/^Client secret/).fill("not it");
  await page.getByRole("button", { name: "Add app" }).click();
  await expect(page).toHaveTitle(/^Error: /);
  await expect(page.getByText("This does not look like a client secret.")).toBeVisible();
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Acme internal");
  await page.getByLabel(/^Client secret/).fill(own.client_secret);
  await page.getByRole("button", { name: "Add app" }).click();
  await expect(page.getByText("Acme internal is added.")).toBeVisible();

  await page.getByText("Replace secrets of Acme internal").click();
  await page.getByLabel(/^Webhook signing secret/).first().fill(own.webhook_secret);
  await page.getByRole("button", { name: "Replace", exact: true }).click();
  await expect(page.getByText("The secrets of Acme internal are replaced.")).toBeVisible();
  await expect(page.getByText("Signing secret set")).toBeVisible();

  await page.goto(`${world.url}/integrations`);
  await page.getByLabel("Linear app").selectOption("Acme internal");
  await page.getByRole("button", { name: "Connect Linear" }).click();
  await world.decide(page, "globex", "Approve");
  await expect(page.getByText("Globex is connected.")).toBeVisible();
  await page.getByRole("link", { name: "Open Globex" }).click();
  await expect(page.getByText("Through the app “Acme internal”")).toBeVisible();
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();

  await page.goto(`${world.url}/settings`);
  await page.getByRole("button", { name: "Remove Acme internal" }).click();
  await expect(page).toHaveURL(/confirm=app/);
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("Acme internal is removed.")).toBeVisible();
});

test("API keys, the audit trail and its export without JavaScript", async ({ page, world }) => {
  await connected(page, world);
  await page.goto(`${world.url}/settings`);
  await page.getByLabel("Name of a new key").fill("ci-runner");
  await page.getByRole("button", { name: "Create key" }).click();
  await expect(page.getByLabel("Key", { exact: true })).toHaveValue(/^rlk_/);
  await page.getByRole("link", { name: "Done" }).click();
  await page.getByRole("button", { name: "Revoke ci-runner" }).click();
  await expect(page).toHaveTitle("Revoke ci-runner? Relink");
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByText("The key ci-runner is revoked.")).toBeVisible();

  for (let number = 1; number <= 20; number++) await world.post(page, "/settings/keys/new", { name: `key ${number}` });
  await page.goto(`${world.url}/settings?before=`);
  const lines = page.locator("#audit tbody tr");
  await expect(lines.first()).toContainText("key 20");
  await page.getByRole("link", { name: "Older" }).click();
  await expect(lines.first()).not.toContainText("key 20");
  await expect(lines.last()).toContainText("priya@northwind.dev");
  await page.getByRole("link", { name: "Newest" }).click();
  await expect(lines.first()).toContainText("key 20");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export as JSON Lines" }).click()]);
  const exported = (await read(await download.createReadStream())).trim().split("\n").map((line) => JSON.parse(line));
  expect(exported.length).toBeGreaterThan(22);
  expect(exported.map(({ act }) => act)).toContain("key.revoked");
});

async function read(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("many connections are searched without JavaScript", async ({ page, world }) => {
  await connected(page, world);
  for (const letter of "ABCDEFGH") {
    await world.linear.control("workspaces", { name: `Team ${letter}`, url_key: `team-${letter.toLowerCase()}` });
    await world.connectUnseen(page, `team-${letter.toLowerCase()}`);
  }
  await page.goto(`${world.url}/integrations`);
  await expect(page.getByRole("article")).toHaveCount(9);
  const field = page.getByRole("searchbox", { name: "Find a workspace" });
  await field.fill("robotics");
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page.getByRole("article")).toHaveCount(1);
  await expect(page.getByText("1 of 9")).toBeVisible();
  await expect(field).toHaveValue("robotics");
  await field.fill("nobody");
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page.getByText("No workspace matches “nobody”.")).toBeVisible();
  await page.getByRole("link", { name: "Show all" }).click();
  await expect(page.getByRole("article")).toHaveCount(9);
});
