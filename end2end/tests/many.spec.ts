// Pages with as much on them as people have after months: workspaces, deliveries, refreshes, lines of the audit trail.
import type { Page } from "@playwright/test";
import { deliver } from "./deliver";
import { look, picture } from "./look";
import { expect, test, type World } from "./world";

test.describe.configure({ timeout: 300_000 });

const WORKSPACES = 200;
const DELIVERIES = 100_000;
const HOUR = 3_600_000;

test("two hundred workspaces are searched, and read page by page", async ({ page, world }) => {
  await world.signUpConnected(page);
  for (let number = 2; number <= WORKSPACES; number++) {
    const key = `customer-${String(number).padStart(3, "0")}`;
    await world.linear.control("workspaces", { name: `Customer ${key.slice(-3)}`, url_key: key });
    await world.connectUnseen(page, key);
  }
  await page.goto(`${world.url}/integrations`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Everything is connected");
  await expect(page.getByRole("article")).toHaveCount(50);
  await picture(page, "integrations-200");
  await page.getByRole("link", { name: "Next" }).click();
  await expect(page.getByText(`51 to 100 of ${WORKSPACES}`)).toBeVisible();
  await look(page, "integrations-200-second");
  await page.getByRole("searchbox").fill("customer 19");
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page.getByRole("article")).toHaveCount(10);
});

/** Copies the delivery that is there, a second apart each, the newest now. */
async function multiply(world: World): Promise<void> {
  await world.server.kill();
  const copies = `WITH RECURSIVE copy(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM copy WHERE n < ${DELIVERIES})`;
  const columns = "event, action, actor, entity, headers, delivery_id, secret_id, took_us, to_do, body";
  await world.sql(`
    ${copies} INSERT INTO deliveries (seq, workspace_id, digest, outcome, subject, webhook_timestamp, received_at, ${columns})
      SELECT seq + n - 1, workspace_id, randomblob(32), 'accepted', 'ENG-' || n, webhook_timestamp - (${DELIVERIES} - n) * 1000,
        received_at - (${DELIVERIES} - n) * 1000, ${columns} FROM copy, (SELECT * FROM deliveries ORDER BY seq LIMIT 1);
    ${copies} INSERT INTO delivery_recipients SELECT organisation_id, number + n - 1, number + n - 1
      FROM copy, (SELECT organisation_id, number FROM delivery_recipients ORDER BY number LIMIT 1);
    UPDATE delivery_log SET last = last + ${DELIVERIES} - 1;`);
  await world.server.start();
}

test("a hundred thousand deliveries are read page by page", async ({ page, world }) => {
  await world.signUpConnected(page);
  await deliver(world, "ENG-1");
  await multiply(world);
  await page.goto(`${world.url}/deliveries`);
  const rows = page.locator("details[name=delivery]");
  await expect(rows.first()).toContainText(`ENG-${DELIVERIES}`);
  await page.getByRole("link", { name: "Older" }).click();
  await expect(rows.first()).toContainText(`ENG-${DELIVERIES - 20}`);
  await rows.first().locator("summary").click();
  await look(page, "deliveries-older");
  await page.getByRole("link", { name: "Newer" }).click();
  await expect(rows.first()).toContainText(`ENG-${DELIVERIES}`);
});

/** Two weeks of a token a day, with a lost reply, an outage of Linear's, and a gap. */
async function refreshedForTwoWeeks(world: World, id: string): Promise<void> {
  const now = Date.now();
  const line = (generation: number, outcome: string, daysAgo: number, more: { code?: string; status?: number; cause?: string; tries?: number } = {}) => {
    const at = now - Math.round(daysAgo * 24 * HOUR);
    const { code = "", status = 200, cause = "schedule", tries = 1 } = more;
    return `('${id}', ${generation}, '${outcome}', '${code}', '${cause}', ${status}, ${tries}, ${at - (tries - 1) * 60_000}, ${at}, ${180 + 7 * generation})`;
  };
  const lines = [12.6, 11.7, 10.8, 9.9, 9.0, 8.1].map((ago, number) => line(100 + number, number === 3 ? "replayed" : "refreshed", ago));
  lines.push(line(106, "backed_off", 7.3, { code: "server_error", status: 503, tries: 4 }));
  lines.push(line(106, "broken", 7.2, { code: "invalid_grant", status: 400 }));
  lines.push(...[6.4, 5.5, 4.6, 3.7, 2.8, 1.9, 1.0].map((ago, number) => line(107 + number, "refreshed", ago, number === 2 ? { cause: "rejected" } : {})));
  await world.sql(`
    INSERT INTO refresh_attempts (connection_id, generation, outcome, code, cause, status, tries, first_at, last_at, took_ms) VALUES ${lines.join(", ")};
    UPDATE connections SET connected_at = ${now - 13.5 * 24 * HOUR} WHERE id = '${id}';`);
}

test("two weeks of refreshes are a chain that is stepped through by keyboard", async ({ page, world }) => {
  const id = await world.signUpConnected(page);
  await refreshedForTwoWeeks(world, id);
  await page.goto(`${world.url}/integrations/${id}`);
  const links = page.getByRole("group", { name: "One link for each token" }).getByRole("link");
  await expect(links).toHaveCount(16);
  await links.nth(7).focus();
  await page.keyboard.press("Tab");
  await expect(links.nth(8)).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator(".log li:target")).toBeVisible();
  await look(page, "connection-full");
});

test("the audit trail is read on paper", async ({ page, world }) => {
  await world.signUpConnected(page);
  for (let number = 1; number <= 40; number++) await world.post(page, "/settings/keys/new", { name: `ci-runner-${number}` });
  await page.goto(`${world.url}/settings`);
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 720, height: 1000 });
  await expect(page.getByRole("columnheader", { name: "When, UTC" })).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Main" })).toBeHidden();
  expect(await page.locator("#audit td").first().evaluate((cell) => getComputedStyle(cell).display)).toBe("table-cell");
  await picture(page, "audit-print");
  await page.emulateMedia({ media: "screen" });
  await page.goto(`${world.url}/settings`);
  await page.getByRole("link", { name: "Older", exact: true }).click();
  await look(page, "audit-older");
});
