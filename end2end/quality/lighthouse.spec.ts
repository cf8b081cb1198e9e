// Google's Lighthouse on the two pages that people see most: on a slow phone that has fetched nothing yet.
import { chromium, type Page } from "@playwright/test";
import lighthouse from "lighthouse";
import { expect, freePort, test } from "../tests/world";

const LEAST = { performance: 0.95, accessibility: 1, "best-practices": 1, seo: 1 };
// A private tool asks not to be found; the rest of SEO is about documents that are complete.
const SKIPPED = ["is-crawlable"];

interface Verdict { scores: Record<string, number>; shift: number; faults: string[] }

async function measure(url: string, port: number, cookie: string): Promise<Verdict> {
  const result = await lighthouse(url, {
    port, output: "json", logLevel: "error", onlyCategories: Object.keys(LEAST), skipAudits: SKIPPED, extraHeaders: { Cookie: cookie },
  });
  if (!result || result.lhr.runtimeError) throw new Error(`${url}: ${result?.lhr.runtimeError?.message}`);
  const { categories, audits, finalDisplayedUrl } = result.lhr;
  expect(finalDisplayedUrl).toBe(url);
  return {
    scores: Object.fromEntries(Object.entries(categories).map(([name, { score }]) => [name, score ?? 0])),
    shift: audits["cumulative-layout-shift"].numericValue ?? 1,
    faults: Object.values(audits).filter(({ score }) => score !== null && score < 0.9).map(({ id, displayValue }) => `${id} ${displayValue ?? ""}`),
  };
}

async function cookies(page: Page): Promise<string> {
  return (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
}

test("pages are fast, accessible and complete", async ({ page, world, launchOptions }) => {
  await world.signUp(page);
  for (const workspace of ["acme-robotics", "globex", "initech"]) await world.connect(page, workspace);
  const port = await freePort();
  const browser = await chromium.launch({ ...launchOptions, args: [...(launchOptions.args ?? []), `--remote-debugging-port=${port}`] });
  try {
    for (const [path, cookie] of [["/signin", ""], ["/integrations", await cookies(page)]]) {
      const { scores, shift, faults } = await measure(`${world.url}${path}`, port, cookie);
      console.log(path, scores, `shift ${shift}`);
      for (const [category, least] of Object.entries(LEAST)) {
        expect(scores[category], `${path}: ${category}, held back by ${faults.join(", ")}`).toBeGreaterThanOrEqual(least);
      }
      expect(shift, `${path} moves while it loads`).toBe(0);
    }
  } finally {
    await browser.close();
  }
});
