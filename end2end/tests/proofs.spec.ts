// Who somebody is, by Linear's own word: from the team's page, and from the page of a link code.
import { codeOf, invite, phone, type } from "./codes";
import { look } from "./look";
import { complaints, expect, test } from "./world";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test("a member continues with Linear, and is who Linear says", async ({ page, browser, world }) => {
      await world.signUpConnected(page);
      await world.member("mia@northwind.dev", "member");
      const mobile = await phone(browser, { javaScriptEnabled });
      await world.signIn(mobile, "mia@northwind.dev");
      await mobile.goto(`${world.url}/team`);
      await mobile.getByRole("button", { name: "Continue with Linear in Acme Robotics" }).click();
      await world.decide(mobile, "acme-robotics", "Cancel", "/team");
      await expect(mobile.getByRole("alert")).toContainText("Linear did not say who you are.");
      await mobile.getByRole("button", { name: "Continue with Linear in Acme Robotics" }).click();
      await world.approveAs(mobile, "acme-robotics", /^Elif Demir/);
      await expect(mobile).toHaveURL(`${world.url}/team`);
      await expect(mobile.getByText("You are Elif Demir in Acme Robotics.")).toBeVisible();
      await expect(mobile.getByRole("button", { name: "Continue with Linear in Acme Robotics" })).toHaveCount(0);
    });

    test("a code is redeemed by Linear's word, and by nobody else's", async ({ page, browser, world }) => {
      await world.signUpConnected(page);
      const link = await invite(page, world, "elif@acme.example");
      const mobile = await phone(browser, { javaScriptEnabled });
      await type(mobile, world, codeOf(link));
      await mobile.getByRole("button", { name: "Continue with Linear" }).click();
      await world.approveAs(mobile, "acme-robotics", /^Ben Castillo/);
      await expect(mobile).toHaveURL(`${world.url}/link`);
      await expect(mobile.getByRole("alert")).toContainText("Linear says that you are Ben Castillo.");
      await mobile.getByRole("button", { name: "Continue with Linear" }).click();
      await world.approveAs(mobile, "acme-robotics", /^Elif Demir/);
      await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("You are linked");
      await page.goto(`${world.url}/team`);
      const row = page.getByRole("row", { name: /elif@acme.example/ });
      await expect(row).toContainText("Acme Robotics");
      await expect(row).not.toContainText("never proved");
    });
  });
}

test("an account that nobody proved is marked, and looks well", async ({ page, browser, world }) => {
  await world.signUpConnected(page);
  const mobile = await phone(browser);
  await type(mobile, world, codeOf(await invite(page, world, "elif@acme.example")));
  const heard = complaints(mobile);
  await look(mobile, "link-preview");
  await mobile.getByRole("button", { name: "Yes, that’s me" }).click();
  await mobile.goto(`${world.url}/team`);
  await expect(mobile.getByText("Nobody proved that elif@acme.example is yours.")).toBeVisible();
  await look(mobile, "team-unproved");
  await mobile.goto(`${world.url}/link`);
  await look(mobile, "link-signed-in");
  expect(heard).toEqual([]);

  await page.goto(`${world.url}/team`);
  await expect(page.getByRole("row", { name: /elif@acme.example/ })).toContainText("E-mail never proved");
  await page.getByRole("link", { name: "Manage Elif Demir" }).click();
  await look(page, "manage-unproved");
  await expect(page.getByLabel("Role").getByRole("option")).toHaveText(["Member"]);
  await page.getByRole("button", { name: "Vouch for Elif Demir" }).click();
  await expect(page.getByRole("dialog")).toContainText("Nobody proved that elif@acme.example is theirs.");
  await page.getByRole("dialog").getByRole("button", { name: "I vouch for them" }).click();
  await expect(page.getByText("You vouched for Elif Demir.")).toBeVisible();
});
