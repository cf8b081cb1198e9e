// What owners, admins and members see, what they are refused, and whoever belongs to two organisations.
import type { Page } from "@playwright/test";
import { phone } from "./codes";
import { deliver } from "./deliver";
import { anotherBrowser, complaints, expect, test, type World } from "./world";

type Role = "owner" | "admin" | "member";
const ROLES: Role[] = ["member", "admin", "owner"];
const REFUSED = "Your role does not allow this.";

/** Acme Robotics with a signing secret, a destination, a delivery, a key, and somebody of each role. Answers the connection's id. */
async function organisation(page: Page, world: World): Promise<string> {
  const id = await world.signUpConnected(page);
  await world.post(page, "/integrations/webhook-secret", { connection: id, secret: "lin_wh_AcmesOwnSecret0123" });
  await world.post(page, "/deliveries/destinations", { url: "http://127.0.0.1:9/", "events[0]": "Comment" });
  await world.post(page, "/settings/keys/new", { name: "ci-runner" });
  await deliver(world, "ENG-1");
  await world.member("adam@northwind.dev", "admin");
  await world.member("mia@northwind.dev", "member");
  return id;
}

const SIGNS_IN: Record<Role, string> = { owner: "priya@northwind.dev", admin: "adam@northwind.dev", member: "mia@northwind.dev" };

/** What can be pressed on each page, and the least that somebody has to be for it. */
function controls(connection: string): Record<string, [Role, "button" | "link" | "textbox", string | RegExp][]> {
  return {
    "/integrations": [
      ["member", "link", "Open Acme Robotics"], ["admin", "button", "Connect Linear"], ["admin", "link", /^Which one is you\?/],
    ],
    [`/integrations/${connection}`]: [
      ["member", "button", "Check now"], ["admin", "button", "Refresh now"], ["admin", "button", "Save secret"],
      ["admin", "button", "Remove lin_wh_····0123"], ["admin", "button", "Check"], ["admin", "link", "Invite teammate"],
      ["admin", "button", "Disconnect"],
    ],
    "/deliveries": [
      ["member", "button", "Filter"], ["admin", "button", "Add destination"], ["admin", "button", "Pause 127.0.0.1:9"],
      ["admin", "button", "Remove 127.0.0.1:9"], ["admin", "textbox", "URL"],
    ],
    "/team": [
      ["member", "button", "Continue with Linear in Acme Robotics"], ["admin", "button", "Invite teammate"], ["owner", "link", "Manage Mia"], ["owner", "link", "Manage Adam"],
    ],
    "/settings": [
      ["member", "button", "Change password"], ["owner", "button", "Create key"],
      ["owner", "button", "Revoke ci-runner"], ["owner", "link", "Export as JSON Lines"], ["owner", "textbox", "Name of a new key"],
    ],
  };
}

/** What is folded away counts as seen. */
async function unfold(page: Page): Promise<void> {
  await page.locator("details:not([open]):not([name])").evaluateAll((all) => all.forEach((one) => one.setAttribute("open", "")));
}

test("each role sees what it may do and nothing else", async ({ page, browser, world }) => {
  test.setTimeout(120_000);
  const connection = await organisation(page, world);
  for (const role of ROLES) {
    const theirs = await anotherBrowser(browser);
    const heard = complaints(theirs);
    await world.signIn(theirs, SIGNS_IN[role]);
    for (const [address, offered] of Object.entries(controls(connection))) {
      await theirs.goto(`${world.url}${address}`);
      await unfold(theirs);
      for (const [least, kind, name] of offered) {
        const may = ROLES.indexOf(role) >= ROLES.indexOf(least);
        const control = theirs.getByRole(kind, { name, exact: kind === "textbox" || name === "Check" });
        await expect(control, `${name} on ${address} for ${role}`).toHaveCount(may ? 1 : 0);
      }
    }
    expect(heard).toEqual([]);
  }
});

test("forms that a role does not have are refused in words, and change nothing", async ({ page, browser, world }) => {
  const connection = await organisation(page, world);
  const [admin, member] = [await anotherBrowser(browser), await anotherBrowser(browser)];
  await world.signIn(admin, SIGNS_IN.admin);
  await world.signIn(member, SIGNS_IN.member);
  await page.goto(`${world.url}/team`);
  const address = await page.getByRole("link", { name: "Manage Adam" }).getAttribute("href");
  const adam = new URL(address ?? "", world.url).searchParams.get("member") ?? "";
  await member.goto(`${world.url}/integrations/${connection}?confirm=disconnect`);
  await expect(member.getByRole("dialog")).toHaveCount(0);

  const managing: [string, Record<string, string>][] = [
    ["/integrations/disconnect", { connection }], ["/integrations/refresh", { connection }], ["/oauth/linear/start", { connection }],
    ["/integrations/webhook-secret", { connection, secret: "lin_wh_AcmesOtherSecret4567" }],
    ["/deliveries/destinations", { url: "https://hooks.example.com/" }],
    ["/team/invites", { workspace: connection, person: "ben@acme.example", valid: "24" }],
  ];
  const owning: [string, Record<string, string>][] = [
    ["/settings/keys/new", { name: "mine" }], ["/settings/apps", { name: "Mine", client_id: "abc", client_secret: "", webhook_secret: "" }],
    ["/team/role", { member: adam, role: "owner" }], ["/team/remove", { member: adam }],
  ];
  for (const [path, form] of [...managing, ...owning]) {
    expect(await world.post(member, path, form), `${path} by a member`).toContain(REFUSED);
  }
  for (const [path, form] of owning) expect(await world.post(admin, path, form), `${path} by an admin`).toContain(REFUSED);
  expect(await admin.context().request.get(`${world.url}/settings/audit.jsonl`).then((reply) => reply.status())).toBe(403);

  await page.goto(`${world.url}/integrations/${connection}`);
  await expect(page.getByText("Connected", { exact: true })).toBeVisible();
  await expect(page.getByText("lin_wh_····4567")).toHaveCount(0);
  await page.goto(`${world.url}/deliveries`);
  await expect(page.getByText("hooks.example.com/")).toHaveCount(0);
  await page.goto(`${world.url}/settings`);
  await expect(page.locator("#api-keys tbody tr")).toHaveCount(1);
  await page.goto(`${world.url}/team`);
  await expect(page.getByRole("heading", { name: "Waiting for an answer" })).toHaveCount(0);
  await expect(page.getByRole("row", { name: /adam@northwind.dev/ })).toContainText("Admin");
});

test("whoever is removed or gets another role is signed out at once", async ({ page, browser, world }) => {
  await organisation(page, world);
  const [admin, member] = [await anotherBrowser(browser), await anotherBrowser(browser)];
  await world.signIn(admin, SIGNS_IN.admin);
  await world.signIn(member, SIGNS_IN.member);
  await member.goto(`${world.url}/settings`);

  await page.goto(`${world.url}/team`);
  await page.getByRole("link", { name: "Manage Mia" }).click();
  await page.getByRole("button", { name: "Remove Mia" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("Mia is removed.")).toBeVisible();
  await member.goto(`${world.url}/settings`);
  await expect(member).toHaveURL(/\/signin/);
  await member.getByLabel("E-mail").fill(SIGNS_IN.member);
  await member.getByLabel("Password").fill("a sentence is fine");
  await member.getByRole("button", { name: "Sign in" }).click();
  await expect(member).toHaveURL(/\/signin/);
  await expect(member).toHaveTitle(/^Error: /);

  await page.getByRole("link", { name: "Manage Adam" }).click();
  await page.getByLabel("Role").selectOption("Member");
  await page.getByRole("button", { name: "Save role" }).click();
  await expect(page.getByText("Adam is a member now.")).toBeVisible();
  // A page that is open notices by itself.
  await expect(admin).toHaveURL(/\/signin/);
  await expect(admin.getByText("You were signed out. Sign in to go on.")).toBeVisible();
  await world.signIn(admin, SIGNS_IN.admin);
  await expect(admin.getByRole("button", { name: "Connect Linear" })).toHaveCount(0);
});

test("the last owner stays one", async ({ page, world }) => {
  await organisation(page, world);
  await page.goto(`${world.url}/team`);
  await page.getByRole("link", { name: /^Manage (Priya|yourself)/ }).click();
  await page.getByLabel("Role").selectOption("Admin");
  await page.getByRole("button", { name: "Save role" }).click();
  await expect(page.getByRole("alert")).toContainText("An organisation needs an owner. Nothing was changed.");
});

const browsers: [string, (browser: Parameters<typeof phone>[0]) => Promise<Page>][] = [
  ["on a desk", (browser) => anotherBrowser(browser)],
  ["on a phone", (browser) => phone(browser)],
  ["on a phone without JavaScript", (browser) => phone(browser, { javaScriptEnabled: false })],
];
for (const [where, opened] of browsers) {
  test(`somebody in two organisations changes between them ${where}`, async ({ page, browser, world }) => {
    await world.signUp(page);
    await world.connectUnseen(page, "acme-robotics");
    const [{ id }] = await world.connections();
    await world.member("mia@northwind.dev", "member");
    await world.member("mia@northwind.dev", "owner", "southwind");
    const theirs = await opened(browser);
    await world.signIn(theirs, "mia@northwind.dev");
    const summary = theirs.locator("details.switch summary");
    await expect(theirs.getByRole("article", { name: "Acme Robotics" })).toBeVisible();
    await expect(summary).toContainText("Northwind Labs");

    await summary.click();
    await theirs.getByRole("button", { name: "Switch to southwind" }).click();
    await expect(theirs.getByText("You are in southwind now.")).toBeVisible();
    await expect(summary).toContainText("southwind");
    await expect(theirs.getByRole("heading", { level: 1 })).toHaveText("Connect your first workspace");
    const elsewhere = await theirs.goto(`${world.url}/integrations/${id}`);
    expect(elsewhere?.status()).toBe(404);

    await summary.click();
    await theirs.getByRole("button", { name: "Switch to Northwind Labs" }).click();
    await expect(theirs.getByRole("article", { name: "Acme Robotics" })).toBeVisible();
    await expect(theirs.getByRole("button", { name: "Connect Linear" })).toHaveCount(0);
  });
}
