// Webhooks as other people's libraries see them: Linear's own verifier on the way in, Standard Webhooks' on the way out.
import { LinearWebhookClient } from "@linear/sdk/webhooks";
import { createHmac, randomInt, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";
import { expect, test } from "./world";

const sign = (secret: string, body: Buffer | string) => createHmac("sha256", secret).update(body).digest("hex");
const pick = <T>(all: T[]): T => all[randomInt(all.length)];

function delivery(workspace: string, extra: object = {}): string {
  return JSON.stringify({
    action: "update", type: "Issue", organizationId: workspace, webhookTimestamp: Date.now(), webhookId: randomUUID(),
    createdAt: new Date().toISOString(), data: { id: randomUUID(), identifier: "ENG-1", title: "Retry uploads ✓ \u0000 \u{1f389}" }, ...extra,
  });
}

test("Linear's own verifier and Relink agree on every fresh delivery", async ({ page, world }) => {
  await world.signUp(page);
  await world.connect(page, "acme-robotics");
  const workspace = (await world.connections())[0].workspace.id;
  const secret = world.app.webhook_secret;
  const theirs = new LinearWebhookClient(secret);
  // What may happen to a signature and to a body on the way.
  const signatures = [
    (good: string) => good, (good: string) => good, (good: string) => good.toUpperCase(), (good: string) => good.slice(1), (good: string) => `${good}0`,
    (good: string) => good.replace(/[0-9a-f]/, (digit) => (digit === "0" ? "1" : "0")), (good: string) => `sha256=${good}`, () => "0".repeat(64),
    () => "", (good: string) => [...good].reverse().join(""), (_: string, body: string) => sign(`${secret}x`, body),
  ];
  const bodies = [
    (body: string) => body, (body: string) => body, (body: string) => body.replace("ENG-1", "ENG-2"), (body: string) => `${body} `,
    (body: string) => body.replaceAll(",", " ,\r\n"), (body: string) => body.replace("{", '{"organizationId":"x",'),
    (body: string) => body.replace('"Issue"', '"I\\u0073sue"'),
  ];
  const seen = { agreed: 0, good: 0 };
  for (let round = 0; round < 400; round++) {
    const extra = pick([{}, { x: "é".repeat(randomInt(50)) }, { data: null }, { actor: { name: "\u2028" } }]);
    const sent = delivery(workspace, extra);
    const signedAfter = randomInt(2) === 1;
    const body = pick(bodies)(sent);
    const signature = pick(signatures)(sign(secret, signedAfter ? body : sent), body);
    let verified = true;
    try {
      theirs.verify(Buffer.from(body), signature);
    } catch {
      verified = false;
    }
    const reply = await fetch(`${world.url}/webhooks/linear`, {
      method: "POST", body, headers: { "content-type": "application/json; charset=utf-8", "linear-signature": signature },
    });
    expect(reply.status, `${signature}\n${body}`).toBe(verified ? 200 : 401);
    seen.agreed += 1;
    seen.good += Number(verified);
  }
  // Both kinds came often, whatever the dice said.
  expect(seen.good).toBeGreaterThan(20);
  expect(seen.agreed - seen.good).toBeGreaterThan(20);
});

test("what is handed on verifies with the Standard Webhooks library", async ({ page, world }) => {
  await world.signUp(page);
  await world.connect(page, "acme-robotics");
  const workspace = (await world.connections())[0].workspace.id;
  const got: { headers: Record<string, string>; body: string }[] = [];
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      got.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(chunks).toString() });
      response.end();
    });
  });
  await new Promise<void>((listening) => receiver.listen(0, "127.0.0.1", listening));
  const { port } = receiver.address() as { port: number };
  const { secret } = await world.command("destination", "add", "--org", "northwind-labs", "--url", `http://127.0.0.1:${port}/`);
  const body = delivery(workspace);
  // Another process added the destination: this one hears of it within a second.
  await new Promise((wake) => setTimeout(wake, 1_100));
  const reply = await fetch(`${world.url}/webhooks/linear`, {
    method: "POST", body, headers: { "linear-signature": sign(world.app.webhook_secret, body), "linear-delivery": randomUUID() },
  });
  expect(reply.status).toBe(200);
  await expect.poll(() => got.length).toBe(1);
  expect(got[0].body).toBe(body);
  expect(new Webhook(secret).verify(got[0].body, got[0].headers)).toMatchObject({ type: "Issue" });
  expect(() => new Webhook(secret).verify(`${got[0].body} `, got[0].headers)).toThrow();
  receiver.close();
});
