// Webhooks as Linear sends them, signed with the secret of its app.
import { createHmac, randomUUID } from "node:crypto";
import { expect, type World } from "./world";

/** An event about an issue of Acme Robotics, or about whatever `more` says. Answers the body. */
export async function deliver(world: World, identifier: string, more: object = {}): Promise<string> {
  const body = JSON.stringify({
    action: "update", type: "Issue", organizationId: await world.linear.workspace("acme-robotics"), webhookTimestamp: Date.now(),
    webhookId: randomUUID(), data: { id: randomUUID(), identifier, title: "Retry uploads ✓" }, ...more,
  });
  const signature = createHmac("sha256", world.app.webhook_secret).update(body).digest("hex");
  const headers = { "content-type": "application/json; charset=utf-8", "linear-delivery": randomUUID(), "linear-signature": signature };
  const reply = await fetch(`${world.url}/webhooks/linear`, { method: "POST", headers, body });
  expect(reply.status).toBe(200);
  return body;
}

/** Linear says that the app was removed from Acme Robotics. */
export async function revoke(world: World): Promise<void> {
  await deliver(world, "", { type: "OAuthApp", action: "revoked" });
}
