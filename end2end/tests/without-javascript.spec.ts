// Everything works with JavaScript off.
import { expect, PASSWORD, test } from "./world";

test.use({ javaScriptEnabled: false });

test("the whole story without JavaScript", async ({ page, world }) => {
  await world.signUp(page);
  await world.connect(page, "acme-robotics");
  await expect(page.getByText("Acme Robotics is connected.")).toBeVisible();
  const card = page.getByRole("article", { name: "Acme Robotics" });
  await card.getByRole("link", { name: "Open Acme Robotics" }).click();
  await expect(page.getByText("Gripper v2")).toBeVisible();
  await page.getByRole("button", { name: "Check now" }).click();
  await expect(page.getByText(/Linear answered in \d+ ms/)).toBeVisible();

  await page.getByLabel("New signing secret").fill("lin_wh_AcmesOwnSecret0123");
  await page.getByRole("button", { name: "Save secret" }).click();
  await expect(page.getByText("Saved. Waiting for the first delivery signed with it.")).toBeVisible();
  await page.getByText("Check a delivery").click();
  await page.getByLabel("Body").fill("{}");
  await page.getByLabel("Signature").fill("x");
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await expect(page.getByText("Signed with no secret known here.")).toBeVisible();
  await page.getByRole("button", { name: "Remove lin_wh_····0123" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("No signing secret yet.")).toBeVisible();

  await world.linear.uninstall("acme-robotics");
  await page.waitForTimeout(2_100);
  await page.goto(`${world.url}/integrations`);
  await card.getByRole("button", { name: "Reconnect" }).click();
  await world.decide(page, "acme-robotics", "Approve");
  await expect(page.getByText("Acme Robotics is connected again.")).toBeVisible();

  await card.getByRole("link", { name: "Open Acme Robotics" }).click();
  await page.getByRole("button", { name: "Disconnect" }).click();
  await expect(page).toHaveURL(/confirm=disconnect/);
  await page.getByRole("link", { name: "Keep connected" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await expect(card.getByText("Not connected", { exact: true })).toBeVisible();
});

test("theme, password and signing out without JavaScript", async ({ page, world }) => {
  await world.signUp(page);
  await page.goto(`${world.url}/settings`);
  await page.getByText("Dark", { exact: true }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.getByLabel("Present password").fill(PASSWORD);
  await page.getByLabel("New password").fill("another fine sentence");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("Your password is changed.")).toBeVisible();
  await page.locator("details.who summary").click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await expect(page).toHaveURL(`${world.url}/signin`);
  await page.getByLabel("E-mail").fill("priya@northwind.dev");
  await page.getByLabel("Password").fill("the wrong sentence");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("E-mail and password do not match. 4 tries left")).toBeVisible();
  await expect(page.getByLabel("E-mail")).toHaveValue("priya@northwind.dev");
});
