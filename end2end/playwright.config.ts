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
  timeout: 60_000,
  fullyParallel: false,
  workers: 2,
  forbidOnly: !!process.env.CI,
  reporter: process.env.CI ? "list" : [["list"]],
  use: { launchOptions: chromium, viewport: { width: 1280, height: 800 }, trace: "off", actionTimeout: 10_000 },
});
