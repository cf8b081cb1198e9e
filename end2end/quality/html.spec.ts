// The Nu HTML Checker, as on validator.w3.org, over the pages as the server sends them.
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BrowserContext, Page, Response } from "@playwright/test";
import { codeOf, INVALID, invite, type } from "../tests/codes";
import { deliver } from "../tests/deliver";
import { anotherBrowser, expect, test, type World } from "../tests/world";

const CHECKER = String(createRequire(import.meta.url)("vnu-jar"));

interface Message { type: string; url?: string; lastLine?: number; message: string; extract?: string }

/** Keeps every document that a context is sent. */
class Documents {
  private readonly kept: Promise<void>[] = [];
  private written = 0;

  constructor(private readonly folder: string, private readonly origin: string) {}

  keep(context: BrowserContext): void {
    context.on("response", (response) => {
      const document = response.request().resourceType() === "document" && response.url().startsWith(this.origin);
      if (document && response.headers()["content-type"]?.startsWith("text/html")) this.kept.push(this.read(response));
    });
  }

  private async read(response: Response): Promise<void> {
    // What the browser has left already it no longer has.
    const html = await response.text().catch(() => undefined);
    if (html) await this.write(response.url(), html);
  }

  async write(url: string, html: string): Promise<void> {
    this.written += 1;
    const { pathname, search } = new URL(url);
    const name = `${this.written}${pathname}${search}`.replaceAll(/[^\w-]+/g, "_").slice(0, 80);
    await writeFile(join(this.folder, `${name}.html`), html);
  }

  async count(): Promise<number> {
    await Promise.all(this.kept);
    return this.written;
  }
}

async function check(folder: string): Promise<string[]> {
  const args = ["-jar", CHECKER, "--stdout", "--exit-zero-always", "--format", "json", "--skip-non-html", folder];
  const { stdout } = await promisify(execFile)("java", args, { maxBuffer: 64 * 1024 * 1024 });
  const { messages } = JSON.parse(stdout) as { messages: Message[] };
  return messages.map(({ type, url = "", message, extract = "" }) => `${type}: ${message} in ${decodeURI(url).split("/").at(-1)}: ${extract.replaceAll(/\s+/g, " ")}`);
}

async function beforeSigningIn(page: Page, world: World): Promise<void> {
  await page.goto(`${world.url}/signup`);
  await world.signUp(page);
  await page.goto(`${world.url}/integrations`);
}

async function connections(page: Page, world: World): Promise<void> {
  for (const workspace of ["acme-robotics", "globex", "initech"]) await world.connect(page, workspace);
  await deliver(world, "ENG-1");
  await world.linear.uninstall("globex");
  const [acme] = await world.connections();
  await page.goto(`${world.url}/integrations/${acme.id}`);
  await page.getByRole("button", { name: "Refresh now" }).click();
  await page.goto(`${world.url}/integrations/${acme.id}?confirm=disconnect`);
  for (const connection of await world.connections()) await page.goto(`${world.url}/integrations/${connection.id}`);
  for (const path of ["/integrations", "/integrations?error=access_denied", "/integrations?q=acme", "/deliveries", "/nothing-here"]) {
    await page.goto(`${world.url}${path}`);
  }
}

async function settings(page: Page, world: World): Promise<void> {
  await page.goto(`${world.url}/settings`);
  await page.getByLabel("Name of a new key").fill("ci-runner");
  await page.getByRole("button", { name: "Create key" }).click();
  await expect(page).toHaveURL(/shown=/);
  await page.goto(`${world.url}/settings`);
}

async function linkCodes(page: Page, mobile: Page, world: World): Promise<void> {
  const link = await invite(page, world, "Elif Demir, elif@acme.example");
  await page.goto(`${world.url}/team`);
  await type(mobile, world, "AAAA-AAAA-AAAA-AAAA");
  await expect(mobile.getByText(INVALID)).toBeVisible();
  await type(mobile, world, codeOf(link));
  await mobile.getByRole("button", { name: "Yes, that’s me" }).click();
  await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("You are linked");
  await page.goto(`${world.url}/team`);
}

async function refused(page: Page, world: World): Promise<void> {
  await page.goto(`${world.url}/signin`);
  await page.getByLabel("E-mail").fill("priya@northwind.dev");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveTitle(/^Error: /);
}

test("every document is valid", async ({ page, browser, world }, info) => {
  const folder = info.outputPath("html");
  await mkdir(folder, { recursive: true });
  const documents = new Documents(folder, world.url);
  const mobile = await anotherBrowser(browser);
  for (const context of [page.context(), mobile.context()]) documents.keep(context);
  await beforeSigningIn(page, world);
  await connections(page, world);
  await settings(page, world);
  await refused(mobile, world);
  await linkCodes(page, mobile, world);
  const elsewhere = await fetch(`${world.url}/signout`, { method: "POST", headers: { accept: "text/html", "sec-fetch-site": "cross-site" } });
  expect(elsewhere.status).toBe(403);
  await documents.write(`${world.url}/refused`, await elsewhere.text());
  expect(await documents.count()).toBeGreaterThan(20);
  expect(await check(folder)).toEqual([]);
});
