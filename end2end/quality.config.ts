import { defineConfig } from "@playwright/test";
import config from "./playwright.config";

// Other people's yardsticks, one at a time: whatever else runs is measured too. In a folder that no other run clears.
export default defineConfig(config, { testDir: "quality", outputDir: "../target/quality", workers: 1, timeout: 240_000 });
