// Where deliveries are handed on to, as whoever manages it sees it, and as the address itself does.
import { createServer, type Server } from "node:http";
import type { Locator, Page } from "@playwright/test";
import { Webhook } from "standardwebhooks";
import { deliver } from "./deliver";
import { look } from "./look";
import { awake, complaints, expect, test as base, type World } from "./world";

/** An address that deliveries are handed on to. It keeps what comes. */
class Receiver {
  readonly got: { headers: Record<string, string>; body: string }[] = [];

  constructor(readonly server: Server, public status: number) {
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        this.got.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(chunks).toString() });
        response.writeHead(this.status).end(this.status === 200 ? "Thank you" : "Out of order");
      });
    });
  }

  /** What the page calls it. */
  get name(): string {
    return `127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  get url(): string {
    return `http://${this.name}/linear`;
  }
}

const test = base.extend<{ receive: (status?: number) => Promise<Receiver> }>({
  receive: async ({}, use) => {
    const servers: Server[] = [];
    await use(async (status = 200) => {
      const server = createServer();
      servers.push(server);
      await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
      return new Receiver(server, status);
    });
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  },
});

/** Adds an address as a person does. Answers the secret that the page shows. */
async function add(page: Page, world: World, url: string): Promise<string> {
  await page.goto(`${world.url}/deliveries`);
  await page.getByLabel("URL", { exact: true }).fill(url);
  await page.getByRole("button", { name: "Add destination" }).click();
  return page.getByLabel("Signing secret", { exact: true }).inputValue();
}

/** The destination in the list at the foot of the page. */
function listed(page: Page, receiver: Receiver): Locator {
  return page.locator("#destinations li").filter({ hasText: receiver.url });
}

/** The delivery's row, opened. */
async function opened(page: Page, url: string, identifier: string): Promise<Locator> {
  await page.goto(url);
  const row = page.locator("details[name=delivery]").filter({ hasText: identifier });
  await row.locator("summary").click();
  return row;
}

/** Loads the page until the row says so: how a try ended is written down after the address has answered. */
async function soon(page: Page, url: string, identifier: string, words: string | RegExp): Promise<void> {
  await expect(async () => {
    await expect(await opened(page, url, identifier)).toContainText(words, { timeout: 500 });
  }).toPass({ timeout: 15_000 });
}

/** What came last is this body, and verifies with the secret. */
function expectLast({ got }: Receiver, secret: string, body: string): void {
  const last = got[got.length - 1];
  expect(last.body).toBe(body);
  expect(new Webhook(secret).verify(last.body, last.headers)).toEqual(JSON.parse(body));
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test.use({ javaScriptEnabled });

    test("deliveries are handed on to an address until it is paused or removed", async ({ page, world, receive }) => {
      const heard = complaints(page);
      const [receiver, deliveries] = [await receive(), `${world.url}/deliveries`];
      const { got, name } = receiver;
      await world.signUp(page);
      await world.connect(page, "acme-robotics");

      const secret = await add(page, world, receiver.url);
      expect(secret).toMatch(/^whsec_/);
      await expect(page.getByRole("heading", { name: `Signing secret for ${name}, shown once.` })).toBeVisible();
      await page.reload();
      await expect(page.getByText("This secret was shown already.")).toBeVisible();
      expect(await page.content()).not.toContain(secret);
      await page.getByRole("link", { name: "Done" }).click();
      await expect(page).toHaveURL(`${deliveries}#destinations`);
      await expect(listed(page, receiver)).toContainText(/^\s*Active/);
      await expect(listed(page, receiver)).toContainText(`All events. Secret whsec_····${secret.slice(-4)}`);
      await expect(listed(page, receiver)).toContainText("Took no delivery yet");

      const first = await deliver(world, "ENG-1");
      await expect.poll(() => got.length).toBe(1);
      expectLast(receiver, secret, first);
      await soon(page, deliveries, "ENG-1", `Sent to ${name}, 200, `);

      await page.getByRole("button", { name: `Pause ${name}` }).click();
      await expect(page.getByRole("status").getByText(`${name} is paused. What comes meanwhile waits for it.`)).toBeVisible();
      await expect(listed(page, receiver)).toContainText(/Paused since .*, because somebody paused it\. Took a delivery/);
      const second = await deliver(world, "ENG-2");
      // What is due is looked for every second.
      await page.waitForTimeout(2_500);
      expect(got).toHaveLength(1);
      await expect(await opened(page, deliveries, "ENG-2")).toContainText(`Waiting for ${name}, until it is resumed`);
      await expect(listed(page, receiver)).toContainText("1 delivery waits");

      await page.getByRole("button", { name: `Resume ${name}` }).click();
      await expect(page.getByRole("status").getByText(`${name} is resumed. What waits is sent first.`)).toBeVisible();
      await expect.poll(() => got.length).toBe(2);
      expectLast(receiver, secret, second);
      await soon(page, deliveries, "ENG-2", `Sent to ${name}, 200, `);
      await expect(listed(page, receiver)).toContainText("Active");

      const narrowed = `${deliveries}?event=Issue`;
      await (await opened(page, narrowed, "ENG-1")).getByRole("button", { name: `Send again to ${name}` }).click();
      await expect(page).toHaveURL(narrowed);
      await expect(page.getByText(`1 delivery goes to ${name} again. How that ends is shown in the rows below.`)).toBeVisible();
      await expect.poll(() => got.length).toBe(3);
      expectLast(receiver, secret, first);
      const ids = got.map(({ headers }) => headers["webhook-id"]);
      expect([ids[2], new Set(ids).size]).toEqual([ids[0], 2]);
      await soon(page, deliveries, "ENG-1", `Sent to ${name}, 200, `);

      const remove = page.getByRole("button", { name: `Remove ${name}` });
      const dialog = page.getByRole("dialog", { name: `Remove ${name}?` });
      if (javaScriptEnabled) await awake(page);
      await remove.click();
      await expect(dialog).toContainText("Its signing secret is forgotten");
      await expect(page).toHaveURL(javaScriptEnabled ? deliveries : /\?confirm=destination&destination=/);
      await dialog.getByRole("link", { name: "Keep it" }).click();
      await expect(dialog).toBeHidden();
      await expect(listed(page, receiver)).toBeVisible();
      await remove.click();
      await dialog.getByRole("button", { name: "Remove" }).click();
      await expect(page.getByRole("status").getByText(`${name} is removed. Nothing more is sent there.`)).toBeVisible();
      await expect(page.getByText("No destination yet")).toBeVisible();
      await deliver(world, "ENG-3");
      await page.waitForTimeout(1_500);
      expect(got).toHaveLength(3);
      expect(heard).toEqual([]);
    });
  });
}

test("an address that answers 500 says so in its rows until it takes deliveries again", async ({ page, world, receive }) => {
  test.setTimeout(120_000);
  const [receiver, deliveries] = [await receive(500), `${world.url}/deliveries`];
  await world.signUp(page);
  await world.connect(page, "acme-robotics");
  const secret = await add(page, world, receiver.url);
  const body = await deliver(world, "ENG-1");
  await soon(page, deliveries, "ENG-1", /: 500, tried (once|\d+ times), again (in \d+ s|now)/);
  // The list is read before the rows, and may have been too early.
  await page.reload();
  await expect(listed(page, receiver)).toContainText(/^\s*Failing/);
  await expect(listed(page, receiver)).toContainText(/Failing since .*, last answer 500 Out of order\. Took no delivery yet\. 1 delivery waits/);

  receiver.status = 200;
  // The next try is five seconds after the first one, and half a minute after the second.
  const tried = receiver.got.length;
  await expect.poll(() => receiver.got.length, { timeout: 60_000 }).toBeGreaterThan(tried);
  expectLast(receiver, secret, body);
  await soon(page, deliveries, "ENG-1", `Sent to ${receiver.name}, 200, `);
  await page.reload();
  await expect(listed(page, receiver)).toContainText(/^\s*Active/);
  await expect(listed(page, receiver)).not.toContainText("Failing");
});

test("destinations in every state", async ({ page, world, receive }) => {
  test.setTimeout(240_000);
  const [good, failing, gone, paused] = [await receive(), await receive(500), await receive(410), await receive()];
  const deliveries = `${world.url}/deliveries`;
  await world.signUp(page);
  await world.connect(page, "acme-robotics");

  await page.goto(deliveries);
  const url = page.getByLabel("URL", { exact: true });
  await url.fill("ftp://hooks.example.com/");
  await page.getByText("All events unless you pick some").click();
  await page.getByRole("checkbox", { name: "Issue", exact: true }).check();
  await page.getByRole("checkbox", { name: /^Keep events about the same issue in order/ }).check();
  await page.getByRole("button", { name: "Add destination" }).click();
  await expect(page).toHaveTitle(/^Error: /);
  await expect(url).toBeFocused();
  await expect(url).toHaveValue("ftp://hooks.example.com/");
  await expect(page.getByRole("checkbox", { name: "Issue", exact: true })).toBeChecked();
  await look(page, "destinations-refused");

  await url.fill(good.url);
  await page.getByRole("button", { name: "Add destination" }).click();
  await expect(page.getByLabel("Signing secret", { exact: true })).toHaveValue(/^whsec_/);
  await look(page, "destinations-secret");
  await page.reload();
  await expect(page.getByText("This secret was shown already.")).toBeVisible();
  await look(page, "destinations-secret-gone");

  for (const receiver of [failing, gone, paused]) await add(page, world, receiver.url);
  await page.getByRole("button", { name: `Pause ${paused.name}` }).click();
  await deliver(world, "ENG-1");
  await soon(page, deliveries, "ENG-1", `Sent to ${good.name}, 200, `);
  await soon(page, deliveries, "ENG-1", `Waiting for ${failing.name}: 500, tried `);
  await soon(page, deliveries, "ENG-1", `Waiting for ${gone.name}: 410, tried once, until it is resumed`);
  await expect(page.getByText(`Nothing is sent to ${gone.name} any more.`)).toBeVisible();
  await expect(listed(page, gone)).toContainText("because it said that it is gone, last answer 410 Out of order");
  await expect(listed(page, good)).toContainText("Issue events, in order for each issue.");
  await expect(listed(page, failing)).toContainText(/^\s*Failing/);
  await page.getByText("Send deliveries again").click();
  await look(page, "destinations");

  await page.getByLabel("Destination", { exact: true }).selectOption({ label: paused.name });
  await page.getByRole("button", { name: "Send again", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText(`1 delivery waits for ${paused.name}. It is sent once the destination is resumed.`);
  await look(page, "destinations-sent-again");

  const id = await listed(page, paused).locator("input[name=destination]").first().inputValue();
  await page.goto(`${deliveries}?confirm=destination&destination=${id}`);
  await expect(page.getByRole("dialog")).toContainText("1 delivery that waits for it is not sent there");
  await look(page, "destinations-remove");
});
