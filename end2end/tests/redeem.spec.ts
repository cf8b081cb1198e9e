// Link codes that are worth nothing any more, several at once, and holders who have an account already.
import { codeOf, INVALID, invite, phone, type } from "./codes";
import { look } from "./look";
import { complaints, expect, PASSWORD, test, type World } from "./world";

/** A day passes for every code that was made. */
function runOut(world: World): Promise<void> {
  return world.sql("UPDATE invites SET expires_at = expires_at - 86400000");
}

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with JavaScript" : "without JavaScript", () => {
    test("codes that were replaced, were revoked or ran out are worth nothing", async ({ page, browser, world }) => {
      await world.signUp(page);
      await world.connectUnseen(page, "acme-robotics");
      const mobile = await phone(browser, { javaScriptEnabled });
      const worthless = async (link: string) => {
        await type(mobile, world, codeOf(link));
        await expect(mobile.getByText(INVALID)).toBeVisible();
        await expect(mobile).toHaveTitle(/^Error: /);
      };

      const first = await invite(page, world, "elif@acme.example");
      await page.goto(`${world.url}/team`);
      await page.getByRole("button", { name: "New code for Elif Demir" }).click();
      const second = await page.getByLabel("Link", { exact: true }).inputValue();
      await worthless(first);

      await page.goto(`${world.url}/team`);
      await page.getByRole("button", { name: "Revoke code for Elif Demir" }).click();
      await expect(page.getByText("Elif Demir’s code is revoked.")).toBeVisible();
      await worthless(second);

      const third = await invite(page, world, "elif@acme.example");
      await runOut(world);
      await worthless(third);
      await page.goto(`${world.url}/team`);
      await expect(page.getByRole("heading", { name: "Waiting for an answer" })).toHaveCount(0);
    });

    test("a code that runs out while it is looked at links nobody", async ({ page, browser, world }) => {
      await world.signUp(page);
      await world.connectUnseen(page, "acme-robotics");
      const mobile = await phone(browser, { javaScriptEnabled });
      await type(mobile, world, codeOf(await invite(page, world, "elif@acme.example")));
      await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("Is this you in Linear?");
      await runOut(world);
      await mobile.getByRole("button", { name: "Yes, that’s me" }).click();
      await expect(mobile.getByText(INVALID)).toBeVisible();
      await page.goto(`${world.url}/team`);
      await expect(page.getByRole("row", { name: /elif@acme.example/ })).toHaveCount(0);
    });

    test("whoever has an account signs in first, and is back on the page of the code", async ({ page, browser, world }) => {
      await world.signUp(page);
      await world.connectUnseen(page, "acme-robotics");
      await world.member("elif@acme.example", "member");
      const mobile = await phone(browser, { javaScriptEnabled });
      await type(mobile, world, codeOf(await invite(page, world, "elif@acme.example")));
      await expect(mobile.getByText("Somebody has an account with elif@acme.example here.")).toBeVisible();
      await expect(mobile.getByRole("button", { name: "Yes, that’s me" })).toHaveCount(0);
      if (javaScriptEnabled) await look(mobile, "link-sign-in");

      await mobile.getByRole("link", { name: "Sign in" }).click();
      await mobile.getByLabel("E-mail").fill("elif@acme.example");
      await mobile.getByLabel("Password").fill(PASSWORD);
      await mobile.getByRole("button", { name: "Sign in" }).click();
      await expect(mobile).toHaveURL(`${world.url}/link`);
      await expect(mobile.getByText("A yes adds this to your account, elif@acme.example.")).toBeVisible();
      await mobile.getByRole("button", { name: "Yes, that’s me" }).click();
      await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("You are linked");
      await expect(mobile.getByText("Set a password for later")).toHaveCount(0);
      await page.goto(`${world.url}/team`);
      await expect(page.getByRole("row", { name: /elif@acme.example/ })).toContainText("Acme Robotics");
    });

    test("a code is taken as people type and paste it", async ({ page, browser, world }) => {
      await world.signUp(page);
      await world.connectUnseen(page, "acme-robotics");
      const link = await invite(page, world, "elif@acme.example");
      const spaced = codeOf(link).replaceAll("-", " ");
      const mixed = [...spaced].map((letter, place) => (place % 2 ? letter.toLowerCase() : letter)).join("");
      for (const typed of [`  ${mixed} `, link]) {
        const mobile = await phone(browser, { javaScriptEnabled });
        await type(mobile, world, typed);
        await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("Is this you in Linear?");
        await expect(mobile.getByText("Elif Demir", { exact: true })).toBeVisible();
      }
    });
  });
}

test("several are invited at once, and each answers for themselves", async ({ page, browser, world }) => {
  test.setTimeout(120_000);
  const heard = complaints(page);
  await world.signUp(page);
  await world.connectUnseen(page, "acme-robotics");
  await world.connectUnseen(page, "globex");
  await page.goto(`${world.url}/team`);
  await page.getByText("Several people at once").click();
  await page.getByLabel("Find people").fill("elif");
  await page.getByRole("checkbox", { name: /Elif Demir/ }).check();
  await expect(page.getByRole("checkbox", { name: /Ben Castillo/ })).toBeHidden();
  await page.getByLabel("Find people").fill("");
  await page.getByRole("checkbox", { name: /Ben Castillo/ }).check();
  await page.getByRole("group", { name: "Globex" }).getByRole("checkbox", { name: /Jun Li/ }).check();
  await look(page, "team-several");
  await page.getByRole("button", { name: "Invite those picked" }).click();

  await expect(page.getByRole("heading", { name: "3 link codes, shown once." })).toBeVisible();
  await look(page, "team-several-codes");
  const fields = page.getByRole("textbox", { name: "Link" });
  const links = await fields.evaluateAll((fields: HTMLInputElement[]) => fields.map((field) => field.value));
  expect(new Set(links).size).toBe(3);
  await expect(page.getByText("Elif Demir in Acme Robotics")).toBeVisible();

  const seen: string[] = [];
  for (const [number, link] of links.entries()) {
    const mobile = await phone(browser);
    await mobile.goto(link);
    await expect(mobile.getByRole("heading", { level: 1 })).toHaveText("Is this you in Linear?");
    seen.push(await mobile.locator(".me .nm").innerText());
    await mobile.getByRole("button", { name: number === 0 ? "That’s not me" : "Yes, that’s me" }).click();
    await expect(mobile.getByRole("heading", { level: 1 })).toHaveText(number === 0 ? "Nothing was linked" : "You are linked");
  }
  expect([...seen].sort()).toEqual(["Ben Castillo", "Elif Demir", "Jun Li"]);
  await page.goto(`${world.url}/team`);
  await expect(page.getByText(`${seen[0]}’s code for`)).toContainText("was answered with “That’s not me”");
  for (const name of seen.slice(1)) await expect(page.getByRole("row", { name: new RegExp(name) })).toContainText(/Acme Robotics|Globex/);
  expect(heard).toEqual([]);
});
