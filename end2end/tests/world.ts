// A Relink and a simulated Linear of a test's own, as real processes, and the things that people do with them.
import { test as base, expect, type Browser, type BrowserContextOptions, type Page } from "@playwright/test";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const BINARY = resolve(process.env.CARGO_TARGET_DIR ?? "../target", "debug/relink");
export const PASSWORD = "a sentence is fine";

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

async function untilAnswering(url: string, child: ChildProcess, said: () => string): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (child.exitCode !== null) throw new Error(`it stopped: ${said()}`);
    if (await fetch(url).then((reply) => reply.ok, () => false)) return;
    await new Promise((wake) => setTimeout(wake, 25));
  }
  throw new Error(`no answer from ${url}: ${said()}`);
}

async function start(args: string[], cwd: string, env: Record<string, string>, ready: string): Promise<ChildProcess> {
  let words = "";
  const child = spawn(BINARY, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (words += chunk));
  await untilAnswering(ready, child, () => words);
  return child;
}

/** The simulated Linear, as its control API sees it. */
export class Linear {
  constructor(readonly url: string) {}

  async control(path: string, body: unknown): Promise<any> {
    const reply = await fetch(`${this.url}/control/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!reply.ok) throw new Error(`${path}: ${await reply.text()}`);
    return reply.json();
  }

  uninstall(workspace: string) {
    return this.control("uninstall", { workspace });
  }

  fault(endpoint: string, kind: string, count = 1) {
    return this.control("faults", { endpoint, kind, count });
  }
}

export class World {
  constructor(
    readonly url: string,
    readonly linear: Linear,
    /** Runs a command beside the server and answers the JSON it prints. */
    readonly command: (...args: string[]) => Promise<any>,
    /** The OAuth app, as Linear's page shows it. */
    readonly app: { client_id: string; client_secret: string; webhook_secret: string },
  ) {}

  async connections(): Promise<any[]> {
    return (await this.command("connection", "list", "--org", "northwind-labs", "--json")).connections;
  }

  async signUp(page: Page): Promise<void> {
    await page.goto(`${this.url}/`);
    await page.getByLabel("Organisation").fill("Northwind Labs");
    await page.getByLabel("Your name").fill("Priya Raman");
    await page.getByLabel("E-mail").fill("priya@northwind.dev");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create owner account" }).click();
    await expect(page).toHaveURL(`${this.url}/integrations`);
  }

  async signIn(page: Page, email = "priya@northwind.dev"): Promise<void> {
    await page.goto(`${this.url}/signin`);
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(`${this.url}/integrations`);
  }

  /** On Linear's consent page: picks the workspace and decides. */
  async decide(page: Page, workspace: string, decision: "Approve" | "Cancel"): Promise<void> {
    await expect(page).toHaveURL(/\/oauth\/authorize/);
    await page.locator(`input[name="workspace"][value="${workspace}"]`).check();
    await page.getByRole("button", { name: decision, exact: true }).click();
    await expect(page).toHaveURL(new RegExp(`^${this.url}/integrations`));
  }

  async connect(page: Page, workspace: string): Promise<void> {
    await page.goto(`${this.url}/integrations`);
    await page.getByRole("button", { name: "Connect Linear" }).first().click();
    await this.decide(page, workspace, "Approve");
  }
}

/** Chromium counts what it does not like here. */
export function complaints(page: Page): string[] {
  const heard: string[] = [];
  page.on("console", (message) => message.type() === "error" && heard.push(`${message.text()} ${message.location().url}`));
  page.on("pageerror", (error) => heard.push(String(error)));
  return heard;
}

export async function anotherBrowser(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  return (await browser.newContext(options)).newPage();
}

export const test = base.extend<{ world: World }>({
  world: async ({}, use) => {
    const dir = await mkdtemp(join(tmpdir(), "relink-"));
    const [port, linearPort] = [await freePort(), await freePort()];
    const url = `http://localhost:${port}`;
    const linearUrl = `http://127.0.0.1:${linearPort}`;
    const callback = `${url}/oauth/linear/callback`;
    const linear = await start(
      ["simulate", "--addr", `127.0.0.1:${linearPort}`, "--redirect-uri", callback], dir, {}, `${linearUrl}/control/counts`,
    );
    const { app } = await (await fetch(`${linearUrl}/control/state`)).json();
    const env = {
      RELINK_ADDR: `127.0.0.1:${port}`, RELINK_URL: url, LINEAR_URL: linearUrl, LINEAR_API_URL: linearUrl,
      LINEAR_CLIENT_ID: app.client_id, LINEAR_CLIENT_SECRET: app.client_secret, LINEAR_WEBHOOK_SECRET: app.webhook_secret,
      RELINK_ALLOW_PRIVATE_DESTINATIONS: "true",
    };
    const relink = await start(["serve"], dir, env, `http://127.0.0.1:${port}/readyz`);
    const command = async (...args: string[]) => JSON.parse((await promisify(execFile)(BINARY, args, { cwd: dir, env })).stdout);
    await use(new World(url, new Linear(linearUrl), command, app));
    for (const child of [relink, linear]) child.kill("SIGKILL");
    await rm(dir, { recursive: true, force: true });
  },
});

export { expect };
