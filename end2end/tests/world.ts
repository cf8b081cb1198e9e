// A Relink and a simulated Linear of a test's own, as real processes, and the things that people do with them.
import { test as base, expect, type Browser, type BrowserContextOptions, type Page } from "@playwright/test";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const BINARY = resolve(process.env.CARGO_TARGET_DIR ?? "../target", "debug/relink");
const run = promisify(execFile);
export const PASSWORD = "a sentence is fine";
export const ORGANISATION = "northwind-labs";
/** Whoever posts a form from a page says so. */
const FROM_A_PAGE = { accept: "text/html", "sec-fetch-site": "same-origin" };

export function freePort(): Promise<number> {
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

/** A process that can be stopped and started again. */
export class Server {
  private child?: ChildProcess;

  constructor(private readonly launch: () => Promise<ChildProcess>) {}

  async start(): Promise<void> {
    this.child = await this.launch();
  }

  /** As a crash does it. */
  async kill(): Promise<void> {
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await gone;
  }
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

  /** Linear's id of the workspace with this url key. */
  async workspace(key: string): Promise<string> {
    const { workspaces } = await (await fetch(`${this.url}/control/state`)).json();
    return workspaces.find((one: any) => one.url_key === key).id;
  }

  uninstall(workspace: string) {
    return this.control("uninstall", { workspace });
  }

  fault(endpoint: string, kind: string, count = 1) {
    return this.control("faults", { endpoint, kind, count });
  }

  async mend(): Promise<void> {
    await fetch(`${this.url}/control/faults`, { method: "DELETE" });
  }
}

export class World {
  /** Who was added by command. */
  private readonly accounts = new Set<string>();

  constructor(
    readonly url: string,
    readonly linear: Linear,
    readonly server: Server,
    /** Where the server keeps its data, and what it was started with. */
    private readonly home: { cwd: string; env: Record<string, string> },
    /** The OAuth app, as Linear's page shows it. */
    readonly app: { client_id: string; client_secret: string; webhook_secret: string },
  ) {}

  /** Runs a command beside the server and answers the JSON it prints. */
  command(...args: string[]): Promise<any> {
    return this.told("", ...args);
  }

  /** A command that reads what it is told. */
  async told(stdin: string, ...args: string[]): Promise<any> {
    const running = run(BINARY, args, this.home);
    // Most commands end without reading it.
    running.child.stdin?.on("error", () => {}).end(stdin);
    return JSON.parse((await running).stdout);
  }

  /** Straight into the database, for what would take hours. */
  async sql(statement: string): Promise<void> {
    await run("sqlite3", ["-cmd", ".timeout 5000", join(this.home.cwd, "data/relink.db"), statement]);
  }

  /** An account that signs in with [`PASSWORD`], in this organisation or one of their own. */
  async member(email: string, role: "owner" | "admin" | "member", organisation = ORGANISATION): Promise<void> {
    const name = email.split("@")[0].replace(/^./, (first) => first.toUpperCase());
    const place = ["user", "add", "--json", "--email", email, "--org", organisation, "--role", role];
    // In a second organisation they have an account already.
    const account = this.accounts.has(email) ? ["--existing"] : ["--name", name];
    await this.told(PASSWORD, ...place, ...account);
    this.accounts.add(email);
  }

  async connections(): Promise<any[]> {
    return (await this.command("connection", "list", "--org", ORGANISATION, "--json")).connections;
  }

  async signUp(page: Page): Promise<void> {
    await page.goto(`${this.url}/`);
    await page.getByLabel("Organisation").fill("Northwind Labs");
    await page.getByLabel("Your name").fill("Priya Raman");
    await page.getByLabel("E-mail").fill("priya@northwind.dev");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Create owner account" }).click();
    await expect(page).toHaveURL(`${this.url}/integrations`);
    this.accounts.add("priya@northwind.dev");
  }

  /** Signs up and connects Acme Robotics, without looking at a page. Answers the connection's id. */
  async signUpConnected(page: Page): Promise<string> {
    await this.signUp(page);
    await this.connectUnseen(page, "acme-robotics");
    const [{ id }] = await this.connections();
    return id;
  }

  async signIn(page: Page, email = "priya@northwind.dev"): Promise<void> {
    await page.goto(`${this.url}/signin`);
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page).toHaveURL(`${this.url}/integrations`);
  }

  /** On Linear's consent page: says yes as somebody in particular. */
  async approveAs(page: Page, workspace: string, name: RegExp): Promise<void> {
    await expect(page).toHaveURL(/\/oauth\/authorize/);
    await page.locator(`input[name="workspace"][value="${workspace}"]`).check();
    const people = page.getByLabel("Acting person");
    await people.selectOption(await people.locator("option", { hasText: name }).first().getAttribute("value"));
    await page.getByRole("button", { name: "Approve", exact: true }).click();
  }

  /** On Linear's consent page: picks the workspace and decides. */
  async decide(page: Page, workspace: string, decision: "Approve" | "Cancel", to = "/integrations"): Promise<void> {
    await expect(page).toHaveURL(/\/oauth\/authorize/);
    await page.locator(`input[name="workspace"][value="${workspace}"]`).check();
    await page.getByRole("button", { name: decision, exact: true }).click();
    await expect(page).toHaveURL(new RegExp(`^${this.url}${to}`));
  }

  async connect(page: Page, workspace: string): Promise<void> {
    await page.goto(`${this.url}/integrations`);
    await page.getByRole("button", { name: "Connect Linear" }).first().click();
    await this.decide(page, workspace, "Approve");
  }

  /** What [`connect`] does, without looking at a page. */
  async connectUnseen(page: Page, workspace: string): Promise<void> {
    const request = page.context().request;
    const begun = await request.post(`${this.url}/oauth/linear/start`, { headers: FROM_A_PAGE, maxRedirects: 0 });
    const { location } = await this.linear.control("approve", { authorize_url: begun.headers().location, workspace });
    await request.get(location, { maxRedirects: 0 });
  }

  /** Posts a form of a page that this person may never have seen. Answers the message that they read then, if there is one. */
  async post(page: Page, path: string, form: Record<string, string>): Promise<string> {
    const reply = await page.context().request.post(`${this.url}${path}`, { headers: FROM_A_PAGE, form });
    const [, message = ""] = (await reply.text()).match(/class="flash[^>]*>(.*?)<\/p>/s) ?? [];
    return message.replaceAll(/<[^>]*>/g, "");
  }
}

/** Chromium counts what it does not like here. */
export function complaints(page: Page): string[] {
  const heard: string[] = [];
  page.on("console", (message) => message.type() === "error" && heard.push(`${message.text()} ${message.location().url}`));
  page.on("pageerror", (error) => heard.push(String(error)));
  return heard;
}

/** What the page's script does can be done. Wherever a test presses what behaves in another way without it. */
export async function awake(page: Page): Promise<void> {
  await expect(page.locator("html[data-awake]")).toHaveCount(1);
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
    const server = new Server(() => start(["serve"], dir, env, `http://127.0.0.1:${port}/readyz`));
    await server.start();
    await use(new World(url, new Linear(linearUrl), server, { cwd: dir, env }, app));
    await server.kill();
    linear.kill("SIGKILL");
    await rm(dir, { recursive: true, force: true });
  },
});

export { expect };
