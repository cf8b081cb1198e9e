import { defineConfig } from "@playwright/test";

// Debian's Chromium. The flags keep it from calling home, which fails where there is no open internet.
const chromium = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
};

export default defineConfig({
  testDir: "tests",
  // Against hanging for ever, and not a measure: a shared machine may stand still for a minute. What has to be fast says so itself.
  timeout: 240_000,
  expect: { timeout: 20_000 },
  fullyParallel: false,
  workers: 2,
  forbidOnly: !!process.env.CI,
  reporter: process.env.CI ? "list" : [["list"]],
  use: { launchOptions: chromium, viewport: { width: 1280, height: 800 }, trace: "off", actionTimeout: 30_000, navigationTimeout: 90_000 },
});
