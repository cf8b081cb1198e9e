// Pages in states that no other test has on its way: many, somebody else's role, nothing there, and nothing that works.
import { deliver } from "./deliver";
import { fitsEverywhere, look } from "./look";
import { anotherBrowser, awake, expect, test } from "./world";

const MANY = ["Aperture", "Black Mesa", "Cyberdyne", "Dunder Mifflin", "Ewing Oil", "Fabrikam", "Gringotts", "Hooli", "Izon"];

test("many workspaces, of which some need somebody", async ({ page, world }) => {
  await world.signUpConnected(page);
  for (const workspace of ["globex", "initech"]) await world.connectUnseen(page, workspace);
  for (const name of MANY) {
    const url_key = name.toLowerCase().replace(" ", "-");
    await world.linear.control("workspaces", { name, url_key });
    await world.connectUnseen(page, url_key);
  }
  const connections = await world.connections();
  expect(connections).toHaveLength(12);
  for (const workspace of ["globex", "hooli"]) await world.linear.uninstall(workspace);
  const ended = connections.find(({ workspace }) => workspace.url_key === "izon").id;
  await world.post(page, "/integrations/disconnect", { connection: ended });
  await world.command("refresh", "--due-within", "30d");
  await page.goto(`${world.url}/integrations`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("2 connections need you");
  await look(page, "integrations-many");
  await page.goto(`${world.url}/integrations?q=mesa`);
  await expect(page.getByRole("article")).toHaveCount(1);
  await look(page, "integrations-found");
  await page.goto(`${world.url}/integrations?q=nobody`);
  await look(page, "integrations-not-found");
  await page.goto(`${world.url}/team`);
  await page.getByText("Several people at once").click();
  await look(page, "team-many");
});

test("a member's pages", async ({ page, browser, world }) => {
  const id = await world.signUpConnected(page);
  await world.connectUnseen(page, "globex");
  await world.post(page, "/deliveries/destinations", { url: "http://127.0.0.1:9/" });
  await deliver(world, "ENG-1");
  await world.member("mia@northwind.dev", "member");
  await world.linear.uninstall("globex");
  await world.command("refresh", "--due-within", "30d");
  const member = await anotherBrowser(browser);
  await world.signIn(member, "mia@northwind.dev");
  await expect(member.getByText("An admin of your organisation can reconnect it.")).toBeVisible();
  for (const [name, address] of [
    ["integrations", "/integrations"], ["connection", `/integrations/${id}`], ["deliveries", "/deliveries"], ["team", "/team"],
    ["settings", "/settings"],
  ]) {
    await member.goto(`${world.url}${address}`);
    await look(member, `member-${name}`);
  }
  await world.post(member, "/integrations/disconnect", { connection: id });
  const forbidden = await member.goto(`${world.url}/settings/audit.jsonl`);
  expect(forbidden?.status()).toBe(403);
  await look(member, "forbidden");
});

test("settings with apps of one's own, keys and a trail", async ({ page, world }) => {
  await world.signUpConnected(page);
  const { client_id, client_secret } = await world.linear.control("apps", { name: "Acme internal" });
  await world.post(page, "/settings/keys/new", { name: "ci-runner" });
  await world.post(page, "/settings/apps", { name: "Acme internal", client_id, client_secret, webhook_secret: "" });
  await page.goto(`${world.url}/settings`);
  await expect(page.getByText("Client secret set")).toBeVisible();
  for (const folded of ["Add an app", "Replace secrets of Acme internal"]) await page.getByText(folded).click();
  await look(page, "settings-many");
  await page.goto(`${world.url}/integrations`);
  await page.getByText("How Relink acts and what it may do").click();
  await look(page, "integrations-apps");
});

test("somebody in two organisations, with the menu open", async ({ page, world }) => {
  await world.signUpConnected(page);
  await world.member("priya@northwind.dev", "owner", "southwind");
  await page.goto(`${world.url}/integrations`);
  await page.locator("details.switch summary").click();
  await look(page, "organisations");
  await page.locator("details.who summary").click();
  await look(page, "account");
});

test("a connection that is not there, and a database that does not answer", async ({ page, world }) => {
  await world.signUpConnected(page);
  const missing = await page.goto(`${world.url}/integrations/00000000-0000-4000-8000-000000000000`);
  expect(missing?.status()).toBe(404);
  await look(page, "connection-missing");
  await page.goto(`${world.url}/integrations`);
  await expect(page.locator("p.live")).toContainText("Updated just now");
  await world.server.kill();
  await expect(page.locator("p.live")).toContainText("Live updates paused since");
  await look(page, "integrations-paused");
  await world.sql("ALTER TABLE webhook_refusals RENAME TO elsewhere");
  await world.server.start();
  const failed = await page.goto(`${world.url}/integrations`);
  expect(failed?.status()).toBe(503);
  await look(page, "unavailable");
});

test("the way to Linear, while it takes its time", async ({ page, world }) => {
  await world.signUp(page);
  await awake(page);
  // The browser would wait for an answer: this page stays as it is while one is under way.
  await page.evaluate(() => window.addEventListener("submit", (event) => event.preventDefault()));
  await page.getByRole("button", { name: "Connect Linear" }).click();
  await expect(page.getByRole("button", { name: "Going to Linear…" })).toHaveAttribute("aria-busy", "true");
  await look(page, "integrations-leaving");
});

test("names as long as they may be, without a space", async ({ page, world }) => {
  const long = (length: number) => "Donaudampfschifffahrtsgesellschaftskapitaensmuetze".repeat(4).slice(0, length);
  const id = await world.signUpConnected(page);
  await world.linear.control("workspaces", { name: long(200), url_key: "long" });
  await world.connectUnseen(page, "long");
  await world.sql(`UPDATE organisations SET name = '${long(100)}'; UPDATE users SET name = '${long(100)}'`);
  await world.post(page, "/settings/keys/new", { name: long(100) });
  await world.post(page, "/deliveries/destinations", { url: `http://127.0.0.1:9/${long(170)}` });
  await world.post(page, "/team/invites", { workspace: id, person: "elif@acme.example" });
  await world.linear.uninstall("acme-robotics");
  const other = (await world.connections()).find((one) => one.id !== id);
  for (const path of ["/integrations", `/integrations/${id}`, `/integrations/${other.id}`, "/deliveries", "/team", "/settings"]) {
    await page.goto(world.url + path);
    await fitsEverywhere(page, path);
  }
});

test("a question fits the lowest of windows, and the focus is seen in forced colours", async ({ page, world }) => {
  const id = await world.signUpConnected(page);
  await page.goto(`${world.url}/integrations/${id}?confirm=disconnect`);
  const dialog = page.getByRole("dialog");
  for (const [width, height] of [[320, 256], [640, 280], [1280, 800]]) {
    await page.setViewportSize({ width, height });
    const box = await dialog.boundingBox();
    expect(box && box.y >= 0 && box.y + box.height <= height, `${width}×${height}`).toBe(true);
    await dialog.getByRole("button", { name: "Disconnect" }).scrollIntoViewIfNeeded();
    await expect(dialog.getByRole("button", { name: "Disconnect" })).toBeInViewport();
  }
  await page.emulateMedia({ forcedColors: "active" });
  await page.goto(`${world.url}/settings`);
  for (const thing of [page.getByRole("link", { name: "Settings", exact: true }), page.locator(".choice label", { hasText: "System" })]) {
    await thing.scrollIntoViewIfNeeded();
    const without = await thing.screenshot();
    await page.keyboard.press("Tab");
    await thing.evaluate((element) => ((element.querySelector("input") ?? element) as HTMLElement).focus());
    expect((await thing.screenshot()).equals(without)).toBe(false);
  }
});
