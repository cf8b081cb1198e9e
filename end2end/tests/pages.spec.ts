// Every page in every state it can be in now: accessible, in its frame, and photographed.
import { createHmac, randomUUID } from "node:crypto";
import { get } from "node:http";
import type { Page } from "@playwright/test";
import { look } from "./look";
import { awake, expect, test, type World } from "./world";

async function card(page: Page, world: World, workspace: string): Promise<void> {
  await page.goto(`${world.url}/integrations`);
  await page.getByRole("link", { name: `Open ${workspace}` }).click();
}

test("before anybody is signed in", async ({ page, browser, world }) => {
  await page.goto(`${world.url}/`);
  await look(page, "signup");
  await page.getByLabel("Password").fill("short");
  await page.locator("form").evaluate((form: HTMLFormElement) => { form.noValidate = true; });
  await page.getByRole("button", { name: "Create owner account" }).click();
  await expect(page).toHaveTitle(/^Error: /);
  await look(page, "signup-error");
  await world.signUp(page);

  const other = await (await browser.newContext()).newPage();
  await other.goto(`${world.url}/integrations`);
  await look(other, "signin");
  await other.getByLabel("E-mail").fill("priya@northwind.dev");
  await other.getByLabel("Password").fill("not the password");
  await other.getByRole("button", { name: "Sign in" }).click();
  await look(other, "signin-error");
});

test("connections in every state", async ({ page, world }) => {
  test.setTimeout(240_000);
  await world.signUp(page);
  await look(page, "integrations-empty");
  await page.getByText("How Relink acts and what it may do").click();
  await look(page, "integrations-empty-choices");
  await world.connect(page, "acme-robotics");
  await look(page, "integrations-connected");
  await world.connect(page, "globex");
  await world.connect(page, "initech");
  await card(page, world, "Acme Robotics");
  await look(page, "connection");
  await card(page, world, "Initech Studio");
  await look(page, "connection-second");

  await world.linear.uninstall("globex");
  await page.waitForTimeout(2_100);
  await card(page, world, "Globex");
  await look(page, "connection-broken");

  await page.waitForTimeout(2_100);
  await world.linear.fault("graphql", "html_500", 2);
  await page.goto(`${world.url}/integrations`);
  await expect(page.getByText("Linear unreachable").first()).toBeVisible();
  await world.linear.fault("graphql", "html_500", 40);
  await look(page, "integrations");
  await card(page, world, "Acme Robotics");
  await look(page, "connection-unreachable");
  await fetch(`${world.linear.url}/control/faults`, { method: "DELETE" });

  await page.goto(`${page.url().split("?")[0]}?confirm=disconnect`);
  await look(page, "connection-disconnect");
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await look(page, "integrations-disconnected");
  await page.getByRole("article", { name: "Acme Robotics" }).getByRole("link").first().click();
  await look(page, "connection-ended");
});

test("refreshes that worked, were put off, and cannot work", async ({ page, world }) => {
  test.setTimeout(240_000);
  await world.signUp(page);
  await world.connect(page, "acme-robotics");
  await card(page, world, "Acme Robotics");
  await expect(page.getByText("No refresh yet.")).toBeVisible();
  const refresh = page.getByRole("button", { name: "Refresh now" });
  await refresh.click();
  await expect(page.getByText("The token was refreshed.")).toBeVisible();
  await expect(page.getByText("Refreshed by hand", { exact: true })).toBeVisible();
  await look(page, "connection-refreshed");

  await world.linear.fault("token", "html_500", 100);
  await refresh.click();
  await expect(page.getByRole("heading", { name: "Linear does not refresh the token right now" })).toBeVisible();
  await look(page, "connection-put-off");
  await fetch(`${world.linear.url}/control/faults`, { method: "DELETE" });

  await world.linear.fault("token", "invalid_client", 100);
  await refresh.click();
  await expect(page.getByRole("heading", { name: "Linear does not accept this Relink as a client" })).toBeVisible();
  await look(page, "connection-not-accepted");
  await page.goto(`${world.url}/integrations`);
  await expect(page.getByRole("alert")).toContainText("Linear does not accept this Relink as a client.");
  await look(page, "integrations-not-accepted");
});

test("API keys: none, a new one, shown already, and the list", async ({ page, world }) => {
  test.setTimeout(240_000);
  await world.signUp(page);
  await page.goto(`${world.url}/settings`);
  const name = page.getByLabel("Name of a new key");
  await name.fill("x".repeat(101));
  await page.getByRole("button", { name: "Create key" }).click();
  await expect(page).toHaveTitle(/^Error: /);
  await expect(name).toBeFocused();
  await look(page, "settings-key-refused");
  await name.fill("ci-runner");
  await page.getByRole("button", { name: "Create key" }).click();
  await expect(page.getByLabel("Key", { exact: true })).toHaveValue(/^rlk_/);
  await look(page, "settings-key-new");
  await page.reload();
  await expect(page.getByText("This key was shown already.")).toBeVisible();
  await look(page, "settings-key-gone");
  await page.getByRole("link", { name: "Done" }).click();
  await page.getByRole("button", { name: "Revoke ci-runner" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByText("The key ci-runner is revoked.")).toBeVisible();
  await look(page, "settings-key-revoked");
});

/** Delivers as Linear would. */
async function deliver(world: World, secret: string, body: object): Promise<number> {
  const text = JSON.stringify(body);
  const signature = createHmac("sha256", secret).update(text).digest("hex");
  const headers = { "content-type": "application/json; charset=utf-8", "linear-delivery": randomUUID(), "linear-signature": signature };
  return (await fetch(`${world.url}/webhooks/linear`, { method: "POST", headers, body: text })).status;
}

test("webhooks: secrets, deliveries and what was refused", async ({ page, world, context }) => {
  test.setTimeout(240_000);
  await world.signUp(page);
  await page.goto(`${world.url}/deliveries`);
  await expect(page.getByText("Nothing has arrived yet")).toBeVisible();
  await look(page, "deliveries-empty");
  await world.connect(page, "acme-robotics");
  await look(page, "integrations-first-connect");
  await world.connect(page, "globex");
  const { workspaces } = await (await fetch(`${world.linear.url}/control/state`)).json();
  const [acme, globex] = ["acme-robotics", "globex"].map((key) => workspaces.find((one: any) => one.url_key === key).id);

  await card(page, world, "Acme Robotics");
  const field = page.getByLabel("New signing secret");
  const save = async (secret: string) => {
    await field.fill(secret);
    await page.getByRole("button", { name: "Save secret" }).click();
  };
  await save("not a secret");
  await expect(page).toHaveTitle(/^Error: /);
  await expect(field).toBeFocused();
  await look(page, "connection-secret-refused");
  await save("lin_wh_AcmesFirstSecretk2Rd");
  await expect(page.getByText("Never matched yet")).toBeVisible();
  const issue = (workspace: string, identifier: string, more = {}) => ({
    action: "update", type: "Issue", organizationId: workspace, webhookTimestamp: Date.now(), webhookId: "h1",
    actor: { id: "u1", name: "Mara Lindqvist", type: "user" }, data: { id: identifier, identifier, title: "Retry uploads" }, ...more,
  });
  const first = issue(acme, "ENG-1");
  for (const _ of [1, 2]) expect(await deliver(world, "lin_wh_AcmesFirstSecretk2Rd", first)).toBe(200);
  await deliver(world, "lin_wh_AcmesFirstSecretk2Rd", issue(acme, "ENG-2", { webhookTimestamp: Date.now() - 3_600_000 }));
  await deliver(world, "lin_wh_AcmesFirstSecretk2Rd", issue(acme, "ENG-3", { description: "é".repeat(20_000) }));
  await save("lin_wh_AcmesSecondSecretw7Qx");
  await expect(page.getByText("Both secrets are accepted until a delivery signed with the new one arrives")).toBeVisible();
  await page.getByText("Check a delivery").click();
  await look(page, "connection-secrets");

  await page.getByLabel("Body").fill(JSON.stringify(first));
  await page.getByLabel("Signature").fill("0".repeat(64));
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("The delivery is signed with no secret known here.");
  await look(page, "connection-checked");

  await awake(page);
  await page.getByRole("button", { name: "Stop accepting now" }).click();
  await expect(page.getByRole("dialog")).toContainText("Stop accepting lin_wh_····k2Rd?");
  await expect(page.getByRole("link", { name: "Keep it" })).toBeFocused();
  await page.keyboard.press("Escape");
  await page.goto(`${page.url()}?confirm=secret&secret=${await page.locator("input[name=secret][type=hidden]").last().inputValue()}`);
  await look(page, "connection-secret-stop");

  expect(await deliver(world, "lin_wh_AcmesSecondSecretw7Qx", issue(globex, "GLX-1"))).toBe(401);
  await page.goto(`${world.url}/deliveries`);
  await expect(page.getByText("1 request was refused in the last hour.")).toBeVisible();
  await look(page, "deliveries");
  const rows = page.locator("details[name=delivery]");
  await expect(rows).toHaveCount(3);
  await rows.first().locator("summary").click();
  await expect(page.getByText("The first 16 384 of")).toBeVisible();
  await look(page, "deliveries-cut");
  await rows.last().locator("summary").click();
  await expect(page.locator("details[name=delivery][open]")).toHaveCount(1);
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy raw body" }).click();
  await expect(page.getByRole("button", { name: "Copied raw body" })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(JSON.stringify(first));
  await look(page, "deliveries-open");

  await page.getByLabel("Event type").selectOption("Comment");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page.getByText("No delivery fits", { exact: true })).toBeVisible();
  await look(page, "deliveries-filtered");
  await page.goto(`${world.url}/integrations`);
  await expect(page.getByText("1 delivery request refused.")).toBeVisible();
  await look(page, "integrations-refused");
});

test("errors after coming back from Linear", async ({ page, world }) => {
  test.setTimeout(240_000);
  await world.signUp(page);
  for (const code of ["access_denied", "linear_unreachable", "state_mismatch", "workspace_already_linked", "something_else"]) {
    await page.goto(`${world.url}/integrations?error=${code}`);
    await expect(page.getByRole("alert")).toBeVisible();
    await look(page, `integrations-error-${code}`);
  }
});

test("settings, and pages that are not there", async ({ page, world }) => {
  await world.signUp(page);
  await page.goto(`${world.url}/settings`);
  await look(page, "settings");
  const missing = await page.goto(`${world.url}/nothing-here`);
  expect(missing?.status()).toBe(404);
  await look(page, "not-found");
});

test("Linear's consent page, simulated", async ({ page, world }) => {
  await world.signUp(page);
  await page.getByRole("button", { name: "Connect Linear" }).click();
  await expect(page).toHaveURL(/\/oauth\/authorize/);
  await look(page, "simulated-consent");
  await page.goto(world.linear.url);
  await look(page, "simulated-control");
});

test("script and WebAssembly of the page weigh at most 130 KB", async ({ page, world }) => {
  await world.signUp(page);
  const urls = await page.evaluate(() => performance.getEntriesByType("resource").map((entry) => entry.name));
  // A file that was preloaded is listed twice and travels once.
  const parts = [...new Set(urls)].filter((url) => /\.(js|wasm)$/.test(url));
  expect(parts.map((url) => url.split(".").pop()).sort()).toEqual(["js", "wasm"]);
  let total = 0;
  for (const url of parts) {
    const { encoding, bytes } = await asSent(url);
    expect(encoding).toBe("br");
    total += bytes;
  }
  console.log(`js + wasm: ${total} bytes as brotli`);
  expect(total).toBeGreaterThan(10_000);
  expect(total).toBeLessThanOrEqual(130_000);
});

/** What travels, before anybody unpacks it. */
function asSent(url: string): Promise<{ encoding?: string; bytes: number }> {
  return new Promise((done, fail) => {
    get(url, { headers: { "accept-encoding": "br" } }, (reply) => {
      let bytes = 0;
      reply.on("data", (chunk) => (bytes += chunk.length));
      reply.on("end", () => done({ encoding: reply.headers["content-encoding"], bytes }));
    }).on("error", fail);
  });
}
