// What other people wrote, in a real browser: names that try to be markup, and markup that tries to lead islands astray.
import type { Page, Request } from "@playwright/test";
import { invite } from "./codes";
import { awake, complaints, expect, test, type World } from "./world";

const DESTINATIONS = "/deliveries/destinations";

/** A form that adds a destination and has the fields that islands look for. */
function form(fields: string): string {
  return `<form method="post" action="${DESTINATIONS}"><input name="url" value="https://evil.example/"><input name="events[]" value="Issue">${fields}</form>`;
}

/** What is posted anywhere from now on. */
function posts(page: Page): string[] {
  const heard: string[] = [];
  page.on("request", (request: Request) => request.method() === "POST" && heard.push(new URL(request.url()).pathname));
  return heard;
}

/** Serves a page with something more in it, as if the renderer had let it through. */
async function inject(page: Page, path: string, more: (html: string) => string): Promise<void> {
  await page.route((url) => url.pathname === path, async (route) => {
    if (route.request().method() !== "GET") return route.fallback();
    const reply = await route.fetch();
    const html = await reply.text();
    await route.fulfill({ response: reply, body: html.replace(/(<main[^>]*>|<body[^>]*>)/, (start) => start + more(html)) });
  });
}

/** The name under which the page's own island of this kind is brought to life. */
function island(html: string, kind: string): string {
  return html.match(new RegExp(`data-component="(${kind}_\\d+)"`))?.[1] ?? "no island";
}

async function destinations(world: World): Promise<unknown[]> {
  return (await world.command("destination", "list", "--org", "northwind-labs", "--json")).destinations;
}

test("names from Linear that close an element are text on every page", async ({ page, world }) => {
  const code = `<leptos-island data-component="CodeFromAddress_1">${form('<input name="code" value="x">')}</leptos-island>`;
  const name = `</title></textarea></script><b data-hostile></b>${code}`;
  const users = [
    { name, email: "admin@evil.example", role: "admin" },
    // Of a name this long only the beginning is shown.
    { name: `</textarea><b data-hostile></b><meta http-equiv="refresh" content="0;url=//evil.example">`, email: "guest@evil.example", role: "guest" },
  ];
  await world.linear.control("workspaces", { name, url_key: "evil", users, teams: [{ key: "E", name }] });
  await world.signUp(page);
  await world.connectUnseen(page, "evil");
  const [{ id }] = await world.connections();
  const link = await invite(page, world, "guest@evil.example");
  const heard = complaints(page);
  const sent = posts(page);
  const check = async () => {
    await awake(page);
    await expect(page.locator("[data-hostile], meta[http-equiv]")).toHaveCount(0);
    expect(new URL(page.url()).host).toBe(new URL(world.url).host);
  };
  await check();
  for (const path of ["/integrations", `/integrations/${id}`, `/integrations/${id}?confirm=disconnect`, "/team", "/settings", "/deliveries"]) {
    await page.goto(`${world.url}${path}`);
    await check();
  }
  await page.goto(`${world.url}/integrations/${id}`);
  await expect(page).toHaveTitle(/<\/title><\/textarea>/);
  await page.goto(link);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Is this you in Linear?");
  await check();
  expect(sent).toEqual(["/link"]);
  expect(await destinations(world)).toEqual([]);
  expect(heard).toEqual([]);
});

test("a code in the address is sent to its own form, whatever form comes first on the page", async ({ page, world }) => {
  await world.signUp(page);
  const sent = posts(page);
  await inject(page, "/link", (html) => form('<input name="code">') + `<leptos-island data-component="${island(html, "CodeFromAddress")}"><div class="contents">${form('<input name="code">')}</div></leptos-island>`);
  await page.goto(`${world.url}/link#0000-0000-0000-0000`);
  await expect(page.getByText("This code is not valid.")).toBeVisible();
  expect(sent).toEqual(["/link"]);
  expect(await destinations(world)).toEqual([]);
});

test("an island that is given a form of another kind sends nothing", async ({ page, world }) => {
  await world.signUp(page);
  const sent = posts(page);
  const radio = '<input type="radio" name="theme" value="dark" id="trap">';
  await inject(page, "/settings", (html) => {
    const trap = (kind: string) => `<leptos-island data-component="${island(html, kind)}"><div class="contents">${form(radio)}</div></leptos-island>`;
    return trap("SaveOnChange") + form(radio);
  });
  await page.goto(`${world.url}/settings`);
  await awake(page);
  await page.locator("#trap").first().check();
  await page.getByText("Dark", { exact: true }).click();
  await expect(page.locator("html[data-theme=dark]")).toHaveCount(1);
  await expect.poll(() => sent).toEqual(["/theme"]);
  expect(await destinations(world)).toEqual([]);
});

test("text becomes markup in the one place that may", async ({ page, world }) => {
  await world.signUp(page);
  await awake(page);
  const refused = await page.evaluate(() => {
    const attempts: Record<string, () => unknown> = {
      innerHTML: () => (document.body.innerHTML = "<b data-hostile></b>"),
      parser: () => new DOMParser().parseFromString("<b></b>", "text/html"),
      write: () => document.write("<b data-hostile></b>"),
      policy: () => (window as any).trustedTypes.createPolicy("other", { createHTML: (text: string) => text }),
    };
    return Object.entries(attempts).filter(([, attempt]) => {
      try {
        attempt();
        return false;
      } catch {
        return true;
      }
    }).map(([name]) => name);
  });
  expect(refused).toEqual(["innerHTML", "parser", "write", "policy"]);
  await expect(page.locator("[data-hostile]")).toHaveCount(0);
});

test("a callback that is opened again says that the workspace is connected", async ({ page, world }) => {
  await world.signUp(page);
  let callback = "";
  page.on("request", (request) => {
    if (request.url().includes("/oauth/linear/callback")) callback = request.url();
  });
  await world.connect(page, "acme-robotics");
  await expect(page.getByText("Acme Robotics is connected.")).toBeVisible();
  await page.goto(callback);
  await expect(page).toHaveURL(`${world.url}/integrations`);
  await expect(page.getByText("Acme Robotics is connected.")).toBeVisible();
  await expect(page.getByText("did not start in this browser")).toHaveCount(0);
});
