// Linear's own SDK, pointed at Relink instead of Linear, with nothing else changed.
import { LinearClient, RatelimitedLinearError } from "@linear/sdk";
import { expect, test } from "./world";

test("Linear's SDK works through Relink and never notices a dead token", async ({ page, world }) => {
  await world.signUp(page);
  await world.connect(page, "acme-robotics");
  const { key } = await world.command("key", "new", "--org", "northwind-labs", "--name", "sdk");
  const headers = { authorization: `Bearer ${key}` };
  const { connections } = await (await fetch(`${world.url}/api/v1/connections`, { headers })).json();
  const api = `${world.url}/api/v1/connections/${connections[0].id}`;
  const linear = new LinearClient({ apiUrl: `${api}/graphql`, accessToken: key });

  const viewer = await linear.viewer;
  expect(viewer.name).toBeTruthy();
  const teams = await linear.teams();
  expect(teams.nodes.length).toBeGreaterThan(0);
  expect((await linear.organization).urlKey).toBe("acme-robotics");

  await world.linear.control("revoke_token", { workspace: "acme-robotics", which: "access" });
  expect((await linear.viewer).id).toBe(viewer.id);

  const issue = await linear.createIssue({ teamId: teams.nodes[0].id, title: "Made through Relink" }).catch((error) => error);
  expect(issue.type, "a missing scope is told as such").toBe("Forbidden");

  await world.linear.control("faults", { endpoint: "graphql", kind: "rate_limited" });
  await expect(linear.viewer).rejects.toBeInstanceOf(RatelimitedLinearError);

  await world.linear.uninstall("acme-robotics");
  await expect(linear.viewer).rejects.toThrow();
  const refused = await fetch(`${api}/token`, { method: "POST", headers });
  expect(refused.status).toBe(409);
  expect(await refused.json()).toMatchObject({
    code: "reconnect_required", reason: "invalid_grant", reconnect_url: `${world.url}/integrations/${connections[0].id}`,
  });
});
