// Every page in every state it can be in now: accessible, in its frame, and photographed.
import { get } from "node:http";
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test, type World } from "./world";

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/** Looks at the page in both themes and sizes: nothing for axe, nothing sideways, and a picture of each. */
async function look(page: Page, name: string): Promise<void> {
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    for (const [size, viewport] of Object.entries(SIZES)) {
      await page.setViewportSize(viewport);
      await page.screenshot({ path: `pictures/${name}-${theme}-${size}.png`, fullPage: true });
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(sideways, `${name} at ${size} scrolls sideways`).toBeLessThanOrEqual(0);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`), `${name} ${theme} ${size}`).toEqual([]);
    }
  }
  await page.setViewportSize(SIZES.desktop);
}

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
